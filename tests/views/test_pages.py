"""The list and its fragments: who sees what, which rows, how many queries."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from requests_app.models import FalRequest, Observation, Status, Team
from requests_app.paging import PAGE_SIZE
from tests.builders import hear, make_person, make_queued, make_request, make_result

ROW = re.compile(r'<tr id="request-([0-9a-f-]{36})"')


def ids(html: str) -> list[str]:
    return ROW.findall(html)


def set_status(row: FalRequest, status: str, **columns: Any) -> None:
    FalRequest.objects.filter(pk=row.pk).update(status=status, **columns)


def make_rows(number: int, *, team: Team, person: User) -> list[FalRequest]:
    return [make_request(team=team, person=person) for _ in range(number)]


# --- The page ----------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["", "rows/", "counts/", "changes/"])
def test_somebody_not_logged_in_is_sent_to_the_log_in(db: None, path: str) -> None:
    response = Client().get(f"/requests/{path}")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_somebody_without_a_team_is_told_so(db: None) -> None:
    client = Client()
    client.force_login(make_person("nora"))
    response = client.get("/requests/")
    assert response.status_code == 403
    assert "You have no team yet" in response.text


def test_it_lists_the_rows_of_the_team_newest_first(
    as_owner: Client, team: Team, owner: User
) -> None:
    rows = make_rows(3, team=team, person=owner)
    response = as_owner.get("/requests/")
    assert ids(response.text) == [str(row.public_id) for row in rows[::-1]]
    assert "no-store" in response["Cache-Control"]


def test_it_shows_nothing_of_another_team(as_stranger: Client, team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner, input={"prompt": "unmistakable"})
    page = as_stranger.get("/requests/?q=unmistakable").text
    assert ids(page) == []
    assert 'class="number chip-count">1<' not in page
    response = as_stranger.get(f"/requests/rows/?ids={row.public_id}")
    assert response.text.strip() == ""
    assert response["X-Missing"] == ""
    assert as_stranger.get("/requests/changes/?since=0").json()["rows"] == []


@pytest.mark.parametrize("status", [*Status.values, "cancelling", "refused"])
def test_every_status_is_shown_with_its_word_and_sentence(
    as_owner: Client, team: Team, owner: User, status: str
) -> None:
    row = make_request(team=team, person=owner)
    if status == "cancelling":
        set_status(row, Status.IN_PROGRESS, cancel_asked_at=timezone.now())
    elif status == "refused":
        set_status(row, Status.FAILED, error="prompt: too long", error_code=422)
    else:
        set_status(row, status)
    page = as_owner.get("/requests/").text
    badge = re.search(rf'<span class="badge badge-{status}" title="([^"]{{20,}})"\s*>', page)
    assert badge, status


def test_user_text_is_escaped(as_owner: Client, team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner, input={"prompt": "<script>alert(1)</script>"})
    set_status(row, Status.FAILED, error='"><img src=x onerror=alert(1)>')
    page = as_owner.get(f"/requests/?q={quote('<script>alert(2)</script>')}").text
    page += as_owner.get("/requests/").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://v3.fal.media/a.png", True),
        ("https://evil.example/a.png", False),
        ("http://v3.fal.media/a.png", False),
        ("https://v3.fal.media:8443/a.png", False),
        ("https://ann@v3.fal.media/a.png", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_a_picture_shows_only_if_the_pages_policy_lets_it(
    as_owner: Client, team: Team, owner: User, settings: Any, url: str, shown: bool
) -> None:
    """Also one that was stored when other hosts were configured."""
    settings.FAL_MEDIA_HOSTS = ["https://*.fal.media"]
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(thumbnail_url=url)
    page = as_owner.get("/requests/").text
    assert ("row-thumb" in page) is shown
    assert 'data-media-hosts="https://*.fal.media"' in page


def test_a_viewer_sees_the_rows_and_no_actions(as_viewer: Client, team: Team, owner: User) -> None:
    rows = make_rows(2, team=team, person=owner)
    set_status(rows[0], Status.COMPLETED)
    page = as_viewer.get("/requests/").text
    assert len(ids(page)) == 2
    assert "/cancel/" not in page
    assert "/requests/new/" not in page


def test_an_ended_row_offers_run_again_and_a_live_one_cancel(
    as_owner: Client, team: Team, owner: User
) -> None:
    live, ended = make_rows(2, team=team, person=owner)
    set_status(ended, Status.COMPLETED)
    page = as_owner.get("/requests/").text
    assert f"/requests/{live.public_id}/cancel/" in page
    assert f"/requests/new/?again={live.public_id}" not in page
    assert f"/requests/{ended.public_id}/cancel/" not in page
    assert f"/requests/new/?again={ended.public_id}" in page


def test_the_first_use_offers_examples_that_work(as_owner: Client, settings: Any) -> None:
    settings.SANDBOX = True
    page = as_owner.get("/requests/").text
    for name in ("image", "slow", "text"):
        assert f"/requests/new/?endpoint=sandbox%2F{name}" in page
    assert 'href="/settings/code/">Record the calls of your own code' in page
    assert 'href="/requests/import/">Import a run' in page
    assert 'href="/settings/">Invite your team' in page


def test_the_first_use_offers_a_member_no_invitation_and_a_viewer_nothing_to_run(
    teammate: User, as_viewer: Client
) -> None:
    as_member = Client()
    as_member.force_login(teammate)
    page = as_member.get("/requests/").text
    assert "Record the calls of your own code" in page
    assert "Invite your team" not in page
    assert "Record the calls" not in as_viewer.get("/requests/").text


def test_no_match_shows_the_filters_each_removable(
    as_owner: Client, team: Team, owner: User
) -> None:
    make_request(team=team, person=owner)
    page = as_owner.get("/requests/?q=status:failed+fox").text
    assert "No request matches" in page
    assert 'href="/requests/?q=fox"' in page
    assert 'href="/requests/?q=status%3Afailed"' in page
    assert "Nothing has been sent yet" not in page


def test_what_the_search_does_not_understand_is_said_under_the_box(
    as_owner: Client, team: Team, owner: User
) -> None:
    make_request(team=team, person=owner)
    response = as_owner.get("/requests/?q=status:brilliant")
    assert response.status_code == 200
    assert "There is no status brilliant" in response.text
    assert 'aria-invalid="true"' in response.text


def test_pages_can_be_walked_by_their_links(as_owner: Client, team: Team, owner: User) -> None:
    rows = make_rows(PAGE_SIZE + 5, team=team, person=owner)
    first = as_owner.get("/requests/?q=by:olga").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = as_owner.get(older[1].replace("&amp;", "&")).text
    assert ids(first) + ids(second) == [str(row.public_id) for row in rows[::-1]]
    assert "data-first-page" in first
    assert "data-first-page" not in second
    newer = re.search(r'rel="prev" href="([^"]+)"', second)
    assert newer
    assert ids(as_owner.get(newer[1].replace("&amp;", "&")).text) == ids(first)


def test_another_teams_cursor_is_refused_like_nonsense(
    as_stranger: Client, team: Team, owner: User
) -> None:
    foreign = make_request(team=team, person=owner)
    answers = [
        as_stranger.get(f"/requests/?older={cursor}") for cursor in (foreign.public_id, uuid4(), 7)
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    ["q=%00", "q=%ff%fe", "older=", "newer=%00", "q=" + "a" * 5000, "page=999", "q=id:%F0%9F%92%A9",
     "_connector=OR 1=1--", "team__name=x", "q=-", 'q="', "q=::::", "q=status:%00failed"],
)  # fmt: skip
def test_odd_query_strings_never_break_the_page(
    as_owner: Client, team: Team, owner: User, query: str
) -> None:
    make_request(team=team, person=owner)
    for path in ("", "rows/", "counts/"):
        assert as_owner.get(f"/requests/{path}?{query}").status_code in (200, 400)


# --- Chips -------------------------------------------------------------------------------------
def chips(html: str) -> dict[str, str]:
    found = re.findall(r'<a class="tab chip"[^>]*>([A-Z]\w+) <span [^>]*>([^<]+)</span>', html)
    return dict(found)


def test_chips_count_under_the_other_filters(
    as_owner: Client, team: Team, owner: User, teammate: User
) -> None:
    rows = make_rows(3, team=team, person=owner)
    set_status(rows[0], Status.FAILED)
    set_status(rows[1], Status.UNCERTAIN)
    set_status(make_request(team=team, person=teammate), Status.FAILED)
    expected = {
        "All": "3", "Active": "2", "Completed": "0", "Failed": "1", "Cancelled": "0",
        "Uncertain": "1",
    }  # fmt: skip
    fragment = as_owner.get("/requests/counts/?q=by:me+status:completed").text
    assert chips(fragment) == expected
    assert chips(as_owner.get("/requests/?q=by:me+status:completed").text) == expected
    assert re.search(r'aria-current="true"[^>]*>Completed', fragment)


def test_counting_stops_at_a_bound(
    as_owner: Client, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from requests_app.views import listing

    monkeypatch.setattr(listing, "COUNT_LIMIT", 2)
    make_rows(3, team=team, person=owner)
    counted = chips(as_owner.get("/requests/counts/").text)
    assert (counted["All"], counted["Active"]) == ("2+", "2+")


# --- Rows --------------------------------------------------------------------------------------
def test_rows_gives_those_that_match_and_names_those_that_do_not(
    as_owner: Client, team: Team, owner: User
) -> None:
    failed, pending = make_rows(2, team=team, person=owner)
    set_status(failed, Status.FAILED)
    asked = f"{failed.public_id},{pending.public_id},{uuid4()},nonsense,"
    response = as_owner.get(f"/requests/rows/?ids={asked}&q=status:failed")
    assert ids(response.text) == [str(failed.public_id)]
    assert response["X-Missing"] == str(pending.public_id)


def test_a_row_is_the_same_on_first_paint_and_later(
    as_owner: Client, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner)
    set_status(row, Status.COMPLETED, ended_at=row.created_at + timedelta(seconds=4.2))
    page, fragment = (
        re.sub(r'<input type="hidden" name="csrf[^>]*>', "", as_owner.get(url).text)
        for url in ("/requests/", f"/requests/rows/?ids={row.public_id}")
    )
    assert fragment.strip()
    assert fragment.strip() in page
    assert f'data-seq="{row.seq}"' in fragment
    assert "4.2 s" in fragment


# --- Changes -----------------------------------------------------------------------------------
def grow_old(team: Team) -> None:
    """Push every observation of the team out of the overlap."""
    old = timezone.now() - timedelta(minutes=1)
    Observation.objects.filter(request__team=team).update(heard_at=old)


def test_changes_tells_what_moved_since(as_owner: Client, team: Team, owner: User) -> None:
    first, second = make_rows(2, team=team, person=owner)
    grow_old(team)
    reply = as_owner.get(f"/requests/changes/?since={first.seq}").json()
    assert reply == {
        "seq": second.seq, "rows": [[str(second.public_id), second.seq]], "more": False,
    }  # fmt: skip
    assert as_owner.get(f"/requests/changes/?since={second.seq}").json()["rows"] == []


def test_changes_looks_back_so_that_a_slow_commit_is_not_missed(
    as_owner: Client, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner)
    reply = as_owner.get(f"/requests/changes/?since={row.seq}").json()
    assert reply["rows"] == [[str(row.public_id), row.seq]]
    assert reply["seq"] == row.seq


def test_changes_comes_in_portions_that_end(
    as_owner: Client, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from requests_app.views import pages

    monkeypatch.setattr(pages, "MOST_CHANGES", 2)
    rows = make_rows(5, team=team, person=owner)
    seen, since = [], 0
    for _ in range(4):
        reply = as_owner.get(f"/requests/changes/?since={since}").json()
        seen += [uuid for uuid, seq in reply["rows"] if seq > since]
        since = reply["seq"]
        if not reply["more"]:
            break
    assert seen == [str(row.public_id) for row in rows]


@pytest.mark.parametrize("since", ["", "x", "1.5", "9" * 30])
def test_changes_refuses_a_cursor_that_is_none(as_owner: Client, since: str) -> None:
    response = as_owner.get(f"/requests/changes/?since={since}")
    assert response.status_code == 400
    assert "whole number" in response.json()["detail"]


def test_changes_without_a_cursor_says_only_where_to_go_on(
    as_owner: Client, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner)
    reply = as_owner.get("/requests/changes/").json()
    assert reply == {"seq": row.seq, "rows": [], "more": False}


def test_the_page_carries_the_cursor_from_which_changes_continue(
    as_owner: Client, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner)
    assert f'data-live-since="{row.seq}"' in as_owner.get("/requests/").text


def test_changes_marks_the_open_rows_in_sight_of_a_page_without_a_socket(
    as_owner: Client, team: Team, owner: User, stranger: User
) -> None:
    row, _unseen = (make_queued(f"r{n}", team=team, person=owner) for n in range(2))
    ended = make_queued("r2", team=team, person=owner)
    hear(ended, make_result())
    foreign = make_queued("r3", team=stranger.memberships.get().team, person=stranger)
    ids = ",".join(str(one.public_id) for one in (row, ended, foreign))
    reply = as_owner.get(f"/requests/changes/?since=0&in_sight={ids},nonsense,{uuid4()}")
    assert reply.status_code == 200
    marked = FalRequest.objects.filter(watched_until__gt=timezone.now())
    assert list(marked) == [row]


def test_a_mark_that_lasts_is_not_written_again_by_each_poll(
    as_owner: Client, team: Team, owner: User
) -> None:
    row = make_queued(team=team, person=owner)
    url = f"/requests/changes/?since=0&in_sight={row.public_id}"
    for left_s, is_renewed in ((14, False), (4, True)):
        until = timezone.now() + timedelta(seconds=left_s)
        FalRequest.objects.update(watched_until=until)
        as_owner.get(url)
        assert (FalRequest.objects.get(pk=row.pk).watched_until != until) == is_renewed


def test_changes_come_although_the_rows_in_sight_cannot_be_marked(
    as_owner: Client, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("requests_app.lifecycle.poll_faster_until", locked)
    row = make_queued(team=team, person=owner)
    reply = as_owner.get(f"/requests/changes/?since=0&in_sight={row.public_id}")
    assert [uuid for uuid, _ in reply.json()["rows"]] == [str(row.public_id)]


@pytest.mark.parametrize("path", ["", "rows/", "counts/", "changes/"])
def test_only_reading_is_allowed(as_owner: Client, path: str) -> None:
    assert as_owner.post(f"/requests/{path}").status_code == 405

"""Bulk actions in the browser: what is chosen is asked about with its numbers, and only then done."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from requests_app.models import BulkAction, BulkItem, BulkState, FalRequest, Outcome, Status, Team
from tests.browsers import Browser
from tests.builders import make_request
from tests.bulk.conftest import counts, make_bulk, make_rows, turn
from tests.views.request_page import HOSTILE

ASK = reverse("requests:ask_bulk")
BULK = reverse("requests:bulk_actions")
LIST = reverse("requests:list")
CONTROLS = ("pause_bulk", "resume_bulk", "stop_bulk", "retry_bulk")


@pytest.fixture
def as_teammate(teammate: User) -> Client:
    """A browser in which a member is logged in who manages nothing."""
    client = Browser()
    client.force_login(teammate)
    return client


def at(name: str, bulk: BulkAction) -> str:
    return reverse(f"requests:{name}", args=[bulk.public_id])


def ticked(rows: list[FalRequest], verb: str = "cancel") -> dict[str, Any]:
    return {"verb": verb, "scope": "selected", "id": [str(row.public_id) for row in rows]}


def matching(q: str = "", verb: str = "cancel") -> dict[str, Any]:
    return {"verb": verb, "scope": "matching", "q": q}


def hidden(page: str) -> dict[str, Any]:
    """The fields of the form that confirms, as a browser sends them."""
    form = page[page.index(f'action="{BULK}"') :]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    values: dict[str, Any] = {name: value for name, value in found if name != "id"}
    ids = [value for name, value in found if name == "id"]
    return values | ({"id": ids} if ids else {})


def confirmed(client: Client, chosen: dict[str, Any], **typed: str) -> Any:
    asked = client.post(ASK, chosen)
    assert asked.status_code == 200, asked.text
    return client.post(BULK, hidden(asked.text) | typed)


def test_ticked_requests_are_asked_about_and_cancelled(as_owner, team, owner):
    rows = make_rows(team, owner, 3)
    asked = as_owner.post(ASK, ticked(rows[:2])).text
    assert "Cancel 2\n    requests?" in asked
    assert "Ticked in the list" in asked
    assert not BulkAction.objects.exists()
    reply = as_owner.post(BULK, hidden(asked) | {"reason": "wrong prompt"})
    bulk = BulkAction.objects.get()
    assert reply["Location"].startswith(at("bulk_action", bulk))
    turn(bulk)
    assert counts(bulk) == {"done": 2}
    rows[2].refresh_from_db()
    assert rows[2].status == Status.PENDING
    page = as_owner.get(at("bulk_action", bulk)).text
    assert "wrong prompt" in page
    assert page.count("Cancelled before it was sent.") == 2


def test_all_that_match_are_the_ones_of_the_search_and_none_that_comes_later(as_owner, team, owner):
    make_rows(team, owner, 2)
    make_request(team=team, person=owner, endpoint_id="acme/other")
    asked = as_owner.post(ASK, matching("endpoint:acme/img")).text
    assert "All that match" in asked and "endpoint:acme/img" in asked
    late = make_request(team=team, person=owner)
    as_owner.post(BULK, hidden(asked))
    bulk = BulkAction.objects.get()
    turn(bulk)
    assert counts(bulk) == {"done": 2}
    assert not BulkItem.objects.filter(request=late).exists()
    assert (bulk.search, bulk.by_hand) == ("endpoint:acme/img", False)


def test_what_is_left_out_is_told_with_its_reason(as_owner, team, owner):
    rows = make_rows(team, owner, 3)
    FalRequest.objects.filter(pk=rows[0].pk).update(status=Status.COMPLETED)
    asked = as_owner.post(ASK, matching()).text
    assert "It had already ended." in asked
    assert "All requests of the team" in asked


def test_uncertain_requests_that_are_run_again_are_warned_about(as_owner, team, owner):
    rows = make_rows(team, owner, 2)
    FalRequest.objects.update(status=Status.UNCERTAIN)
    asked = as_owner.post(ASK, ticked(rows, "again")).text
    assert "may cost twice" in asked
    assert "calls=2" in asked  # the price of all


def test_nothing_that_qualifies_offers_no_button(as_owner, team, owner):
    rows = make_rows(team, owner, 1)
    asked = as_owner.post(ASK, ticked(rows, "again")).text
    assert "Nothing would be done." in asked
    assert "Run again 0" not in asked.split('action="/requests/bulk/"')[1]


def test_above_a_hundred_the_number_is_typed(as_owner, team, owner, monkeypatch):
    monkeypatch.setattr("requests_app.views.bulk.ASK_ABOVE", 2)
    make_rows(team, owner, 3)
    for wrong in ("", "2", "three"):
        refused = confirmed(as_owner, matching(), count=wrong, reason="kept <b>")
        assert refused.status_code == 422
        assert "Type 3" in refused.text and "kept &lt;b&gt;" in refused.text
    assert not BulkAction.objects.exists()
    assert confirmed(as_owner, matching(), count="3").status_code == 302


def test_more_than_the_page_named_is_asked_again(as_owner, team, owner):
    rows = make_rows(team, owner, 3)
    FalRequest.objects.filter(pk=rows[0].pk).update(status=Status.UNCERTAIN)
    asked = as_owner.post(ASK, matching(verb="give_up")).text
    FalRequest.objects.filter(pk=rows[1].pk).update(status=Status.UNCERTAIN)
    again = as_owner.post(BULK, hidden(asked))
    assert again.status_code == 422
    assert "More requests qualify now" in again.text
    assert not BulkAction.objects.exists()
    assert as_owner.post(BULK, hidden(again.text)).status_code == 302


def test_a_page_that_is_sent_twice_is_one_action(as_owner, team, owner):
    make_rows(team, owner, 2)
    fields = hidden(as_owner.post(ASK, matching()).text)
    first, second = (as_owner.post(BULK, fields)["Location"] for _ in range(2))
    assert first == second
    assert BulkAction.objects.count() == 1


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"verb": "cancel", "scope": "selected"}, "Nothing is selected"),
        ({"verb": "cancel", "scope": "selected", "id": "nonsense"}, "none of a request"),
        (
            {"verb": "cancel", "scope": "selected", "id": [str(uuid4()) for _ in range(501)]},
            "At most 500",
        ),
        ({"verb": "cancel", "scope": "matching", "q": "status:odd"}, "There is no status odd"),
        ({"verb": "explode", "scope": "matching"}, "explode"),
        ({"verb": "cancel"}, "required"),
        ({"verb": "cancel", "scope": "matching", "newest": "-1"}, "greater than or equal to 0"),
        ({"verb": "cancel", "scope": "matching", "newest": "9" * 30}, "less than or equal to"),
    ],
)
def test_what_cannot_be_chosen_is_said_in_the_list_and_nothing_is_done(
    as_owner, team, owner, chosen, sentence
):
    make_rows(team, owner, 1)
    for target in (ASK, BULK):
        reply = as_owner.post(target, chosen, follow=True)
        assert reply.redirect_chain[0][0].startswith(LIST)
        assert sentence in reply.text
    assert not BulkAction.objects.exists()


@pytest.mark.parametrize("field", ["token", "expected"])
def test_a_confirmation_without_its_fields_does_nothing(as_owner, team, owner, field):
    make_rows(team, owner, 1)
    fields = hidden(as_owner.post(ASK, matching()).text)
    del fields[field]
    assert as_owner.post(BULK, fields)["Location"].startswith(LIST)
    assert not BulkAction.objects.exists()


def test_requests_of_another_team_are_never_chosen(as_owner, team, owner, stranger):
    other = Team.objects.get(name="Other")
    foreign = make_request(team=other, person=stranger)
    asked = as_owner.post(ASK, ticked([foreign])).text
    assert "Nothing would be done." in asked
    fields = hidden(asked) | {"expected": "5"}
    as_owner.post(BULK, fields)
    as_owner.post(BULK, hidden(as_owner.post(ASK, matching()).text) | {"expected": "5"})
    assert not BulkItem.objects.exists()
    foreign.refresh_from_db()
    assert foreign.status == Status.PENDING


def test_an_action_exists_for_its_team_alone(as_owner, as_stranger, team, owner):
    make_rows(team, owner, 1)
    bulk = make_bulk(team, owner)
    for name in ("bulk_action", "bulk_live"):
        assert as_stranger.get(at(name, bulk)).status_code == 404
    for name in CONTROLS:
        assert as_stranger.post(at(name, bulk)).status_code == 404
    assert str(bulk.public_id) not in as_stranger.get(BULK).text
    assert str(bulk.public_id) in as_owner.get(BULK).text


def test_a_viewer_looks_on(as_owner, as_viewer, team, owner):
    rows = make_rows(team, owner, 1)
    bulk = make_bulk(team, owner)
    page = as_viewer.get(at("bulk_action", bulk)).text
    assert "Stop it" not in page and at("pause_bulk", bulk) not in page
    for name in CONTROLS:
        assert as_viewer.post(at(name, bulk)).status_code == 403
    assert as_viewer.post(ASK, ticked(rows)).status_code == 403
    assert as_viewer.post(BULK, ticked(rows)).status_code == 403
    listed = as_viewer.get(LIST).text
    assert "row-check" not in listed and "data-selection" not in listed


def test_it_is_paused_resumed_stopped_and_retried_from_its_page(as_owner, team, owner):
    make_rows(team, owner, 1)
    bulk = make_bulk(team, owner)
    for name, words, state in (
        ("pause_bulk", "Paused.", BulkState.PAUSED),
        ("pause_bulk", "Nothing was changed", BulkState.PAUSED),
        ("resume_bulk", "Resumed.", BulkState.RUNNING),
        ("retry_bulk", "Nothing was changed", BulkState.RUNNING),
        ("stop_bulk", "Stopped.", BulkState.STOPPED),
    ):
        assert words in as_owner.post(at(name, bulk), follow=True).text
        bulk.refresh_from_db()
        assert bulk.state == state
    BulkItem.objects.update(outcome=Outcome.FAILED)
    BulkAction.objects.update(failed=1, skipped=0)
    assert "Retry failed" in as_owner.get(at("bulk_action", bulk)).text
    assert "another turn" in as_owner.post(at("retry_bulk", bulk), follow=True).text
    turn(bulk)
    assert counts(bulk) == {"done": 1}


def test_outcomes_are_filtered_and_paged_and_the_live_part_follows(
    as_owner, team, owner, monkeypatch
):
    monkeypatch.setattr("requests_app.views.bulk.ITEMS_ON_PAGE", 2)
    rows = make_rows(team, owner, 5)
    bulk = make_bulk(team, owner)
    FalRequest.objects.filter(pk=rows[0].pk).update(status=Status.COMPLETED)
    live = as_owner.get(at("bulk_live", bulk), {"was": "running"})
    assert "0 of 5" in live.text
    turn(bulk)
    assert as_owner.get(at("bulk_live", bulk), {"was": "running"})["HX-Refresh"] == "true"
    first = as_owner.get(at("bulk_action", bulk), {"outcome": "done"}).text
    after = re.search(r"outcome=done&amp;after=(\d+)", first)
    assert after
    second = as_owner.get(
        at("bulk_action", bulk), {"outcome": "done", "after": after.group(1)}
    ).text
    shown = [re.findall(r"/requests/([0-9a-f-]{36})/", page) for page in (first, second)]
    assert [len(set(ids) & {str(row.public_id) for row in rows[1:]}) for ids in shown] == [2, 2]
    assert (
        "No request is failed" in as_owner.get(at("bulk_action", bulk), {"outcome": "failed"}).text
    )
    for odd in ({"outcome": "x"}, {"after": "x"}, {"after": "9" * 40}):
        assert as_owner.get(at("bulk_action", bulk), odd).status_code == 200


@pytest.mark.parametrize("text", [HOSTILE, "<b>", "&amp;", "{{ row }}"])
def test_what_was_typed_is_shown_as_text(as_owner: Client, team: Team, owner: User, text: str):
    make_request(team=team, person=owner, input={"prompt": text})
    bulk = make_bulk(team, owner, reason=text[:300], search=text[:100])
    for url in (at("bulk_action", bulk), BULK):
        page = as_owner.get(url).text
        assert "<script>alert" not in page and "<img src=x" not in page


def test_without_any_the_page_says_how_to_begin(as_owner):
    assert "No bulk action yet" in as_owner.get(BULK).text


def test_the_list_has_a_box_for_each_row_and_the_bar(as_owner, team, owner):
    rows = make_rows(team, owner, 2)
    page = as_owner.get(LIST, {"q": "endpoint:acme/img"}).text
    for row in rows:
        assert f'value="{row.public_id}"' in page
    assert "All that match" in page
    assert 'name="q" value="endpoint:acme/img"' in page


def test_an_action_with_tags_asks_for_them_and_keeps_what_was_typed(as_owner, team, owner):
    make_rows(team, owner, 2)
    chosen = matching(verb="tag")
    refused = confirmed(as_owner, chosen, tags="a*")
    assert refused.status_code == 422
    assert (
        "a* is no tag" in refused.text
        and 'name="tags"' in refused.text
        and 'value="a*"' in refused.text
    )
    assert confirmed(as_owner, chosen).status_code == 422
    confirmed(as_owner, chosen, tags="Draft, hero")
    bulk = BulkAction.objects.get()
    turn(bulk)
    assert counts(bulk) == {"done": 2}
    assert "draft, hero" in as_owner.get(at("bulk_action", bulk)).text


def test_only_managers_are_offered_to_delete(as_owner, as_teammate, team, owner):
    rows = make_rows(team, owner, 1)
    FalRequest.objects.update(status=Status.COMPLETED, ended_at=rows[0].created_at, due_at=None)
    for verb in ("payload", "delete"):
        assert f'value="{verb}"' in as_owner.get(LIST).text
        assert f'value="{verb}"' not in as_teammate.get(LIST).text
        assert as_teammate.post(ASK, ticked(rows, verb)).status_code == 403
        asked = as_owner.post(ASK, ticked(rows, verb))
        assert "for good" in asked.text
        assert as_teammate.post(BULK, hidden(asked.text)).status_code == 403
    confirmed(as_owner, ticked(rows, "delete"))
    turn(BulkAction.objects.get())
    assert not FalRequest.objects.exists()
    assert "Deleted" in as_owner.get(at("bulk_action", BulkAction.objects.get())).text


def test_a_deletion_of_what_a_search_finds_is_typed_and_may_ask_fal(as_owner, team, owner):
    rows = make_rows(team, owner, 2)
    FalRequest.objects.update(status=Status.COMPLETED, ended_at=rows[0].created_at, due_at=None)
    chosen = matching(verb="payload")
    refused = confirmed(as_owner, chosen, at_fal="1")
    assert refused.status_code == 422 and "Type 2" in refused.text
    assert 'name="at_fal" value="1" checked' in refused.text
    assert not BulkAction.objects.exists()
    confirmed(as_owner, chosen, count="2", at_fal="1")
    assert BulkAction.objects.get().at_fal
    assert 'name="at_fal"' not in as_owner.post(ASK, matching()).text

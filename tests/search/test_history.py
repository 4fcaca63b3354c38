"""Rows of before the index: indexed in pieces, from the newest down, and what is said meanwhile."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from requests_app.lifecycle.older_media import note_media
from requests_app.models import FalRequest, SearchEntry, SearchHistory, Team
from requests_app.search import Matches, Scope, history, parse_search, scope
from requests_app.search.index import write_entries
from tests.builders import hear, make_queued, make_request, make_result


@pytest.fixture
def older(team: Team, owner: User, monkeypatch: pytest.MonkeyPatch) -> list[FalRequest]:
    """Ten rows as a version without an index left them, three a piece."""
    monkeypatch.setattr(history, "PIECE", 3)
    rows = [make_request(team=team, person=owner, input={"prompt": "heron"}) for _ in range(10)]
    SearchEntry.objects.all().delete()
    FalRequest.objects.update(search_text="acme/img heron")
    history.start_again()
    return rows


def found(team: Team, text: str = "heron") -> int:
    return Matches(Scope(team.pk, "olga", sees=True), parse_search(text)).count(100)


def test_it_goes_from_the_newest_down_and_goes_on_where_it_stopped(
    older: list[FalRequest], team: Team
) -> None:
    assert found(team) == 0
    assert Scope(team.pk, "olga", sees=True).percent == 0
    for indexed in (3, 6, 9, 10):
        assert history.index_piece()
        newest = [row.pk for row in older[-indexed:]]
        assert sorted(SearchEntry.objects.values_list("pk", flat=True)) == newest
        assert found(team) == indexed
    assert not history.index_piece()
    assert Scope(team.pk, "olga", sees=True).percent == 100
    assert not history.index_piece()
    assert not FalRequest.objects.exclude(search_text="").exists()


def test_a_piece_that_fails_is_done_again(
    older: list[FalRequest], team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(pks: list[int]) -> None:
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patched:
        patched.setattr(history, "write_entries", fail)
        with pytest.raises(RuntimeError):
            history.index_piece()
    while history.index_piece():
        pass
    assert found(team) == 10


def test_filters_are_asked_of_the_rows_as_long_as_some_are_not_indexed(
    older: list[FalRequest], team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope, "FEW", 0)
    assert found(team, "mode:queue by:olga") == 10
    while history.index_piece():
        pass
    assert found(team, "mode:queue by:olga") == 10


def test_the_list_says_how_much_a_search_covers(
    older: list[FalRequest], team: Team, as_owner: Client
) -> None:
    history.index_piece()
    percent = SearchHistory.objects.get().percent
    assert f"covers {percent}&nbsp;% of the history" in as_owner.get("/requests/?q=heron").text
    assert "of the history" not in as_owner.get("/requests/").text
    while history.index_piece():
        pass
    assert "of the history" not in as_owner.get("/requests/?q=heron").text


def test_a_command_has_everything_indexed_anew(older: list[FalRequest], team: Team) -> None:
    while history.index_piece():
        pass
    SearchEntry.objects.all().delete()
    call_command("rebuild_search")
    while history.index_piece():
        pass
    assert found(team) == 10


def test_without_rows_there_is_nothing_to_do(team: Team) -> None:
    history.start_again()
    assert not SearchHistory.objects.exists()
    assert not history.index_piece()


def test_the_media_of_older_requests_are_noted_on_the_way(team: Team, owner: User) -> None:
    row = make_queued(team=team, person=owner)
    hear(row, make_result(output={"video": {"url": "https://fal.media/files/a.mp4"}}))
    FalRequest.objects.filter(pk=row.pk).update(media_kinds=None, media=None)
    write_entries([row.pk])
    assert found(team, "has:video") == 0
    history.start_again()
    while history.index_piece(note_media):
        pass
    row.refresh_from_db()
    assert row.media_kinds == "video"
    assert row.media["items"][0]["url"] == "https://fal.media/files/a.mp4"
    assert found(team, "has:video sunset") == 1

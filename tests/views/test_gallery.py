"""The gallery: every medium of what matches, the list's own query, one team's alone, at a constant cost."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app.gallery import tiles
from requests_app.lifecycle.removing import delete_payload
from requests_app.models import FalRequest, Team
from tests.builders import hear, make_queued, make_request, make_result

CAT = "https://fal.media/files/cat.png"
FILM = {"url": "https://fal.media/files/film.mp4", "content_type": "video/mp4"}
DOT = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0").decode()


def finished(team: Team, person: User, output: Any, **request: Any) -> FalRequest:
    """A request that has ended with this output."""
    number = FalRequest.objects.count()
    row = make_queued(f"req-{number}", team=team, person=person, **request)
    hear(row, make_result(output=output))
    row.refresh_from_db()
    return row


def pictures(*names: str) -> dict[str, Any]:
    return {"images": [{"url": f"https://fal.media/files/{name}.png"} for name in names], "seed": 7}


def keys(client: Client, path: str = "/requests/gallery/", **query: str) -> list[str]:
    """The tiles of a page, by request and number."""
    return re.findall(r'id="tile-([0-9a-f-]+\.\d+)"', client.get(path, query).text)


@pytest.fixture
def three(team: Team, owner: User) -> list[FalRequest]:
    """Two pictures, a video with its poster, a text."""
    return [
        finished(team, owner, pictures("a", "b"), input={"prompt": "two herons"}),
        finished(team, owner, {"video": FILM, "poster": CAT}, endpoint_id="acme/film"),
        finished(team, owner, {"text": "no picture"}),
    ]


def test_every_medium_is_a_tile_the_newest_request_first(
    as_owner: Client, three: list[FalRequest]
) -> None:
    two, film, _ = (str(row.public_id) for row in three)
    assert keys(as_owner) == [f"{film}.0", f"{film}.1", f"{two}.0", f"{two}.1"]
    page = as_owner.get("/requests/gallery/").text
    for words in (FILM["url"], CAT, "two herons", ">7</dd>", f'href="/requests/{two}/"'):
        assert words in page


def test_it_has_the_lists_query_and_keeps_all_of_it(
    as_owner: Client, three: list[FalRequest]
) -> None:
    two, film = str(three[0].public_id), str(three[1].public_id)
    assert keys(as_owner, q="herons") == [f"{two}.0", f"{two}.1"]
    assert keys(as_owner, q="has:video") == [f"{film}.0", f"{film}.1"]
    assert keys(as_owner, sort="oldest")[0] == f"{two}.0"
    page = as_owner.get("/requests/gallery/?q=by:me&sort=oldest&view=mine").text
    assert 'href="/requests/?q=by%3Ame&amp;sort=oldest&amp;view=mine"' in page
    assert 'action="/requests/gallery/"' in page
    assert 'action="/requests/"' not in page
    listed = as_owner.get("/requests/?q=by:me&sort=oldest&view=mine").text
    assert 'href="/requests/gallery/?q=by%3Ame&amp;sort=oldest&amp;view=mine"' in listed


def test_chips_and_views_stay_in_the_gallery(as_owner: Client, three: list[FalRequest]) -> None:
    page = as_owner.get("/requests/gallery/").text
    assert 'href="/requests/gallery/?q=status%3Afailed"' in page
    assert re.search(r'All <span class="number chip-count">2<', page)
    assert as_owner.get("/requests/views/mine/?as=gallery")["Location"].startswith(
        "/requests/gallery/?q=by%3Ame"
    )
    saved = {"name": "herons", "q": "herons", "sort": "", "view": "", "as": "gallery"}
    assert as_owner.post("/requests/views/", saved)["Location"].startswith("/requests/gallery/?")
    days = as_owner.get("/requests/gallery/?from=2026-11-01")
    assert days["Location"] == "/requests/gallery/?q=after%3A2026-11-01"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?q=status:active", "No picture, video or file matches"),
        ("?q=status:odd", "There is no status odd"),
        ("?older=odd", "This page is not there"),
        ("", "Nothing to look at yet"),
    ],
)
def test_what_is_not_there_is_told(
    as_owner: Client, team: Team, owner: User, query: str, words: str
) -> None:
    assert "Nothing has been sent yet" in as_owner.get("/requests/gallery/").text
    make_request(team=team, person=owner)
    assert words in as_owner.get(f"/requests/gallery/{query}").text


def test_one_teams_media_are_no_others(
    as_stranger: Client, as_viewer: Client, three: list[FalRequest]
) -> None:
    ids = ",".join(str(row.public_id) for row in three)
    for path in ("/requests/gallery/", f"/requests/gallery/tiles/?ids={ids}"):
        assert keys(as_stranger, path) == []
    assert len(keys(as_viewer)) == 4
    assert 'type="checkbox" class="row-check"' not in as_viewer.get("/requests/gallery/").text
    assert "Use as input" not in as_viewer.get("/requests/gallery/").text


def test_pages_follow_each_other_without_a_gap(
    as_owner: Client, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "TILES", 4)
    made = [finished(team, owner, pictures(*"xyz"[:count])) for count in (1, 3, 2, 3, 1, 1)]
    whole = [
        f"{row.public_id}.{n}" for row in reversed(made) for n in range(len(row.media["items"]))
    ]
    seen, query = [], {}
    while True:
        reply = as_owner.get("/requests/gallery/tiles/", query)
        seen += re.findall(r'id="tile-([0-9a-f-]+\.\d+)"', reply.text)
        if not reply["X-Older"]:
            break
        query = dict([reply["X-Older"].split("=")])
    assert seen == whole
    assert keys(as_owner, newer=str(made[0].public_id)) == whole[5:10]


def test_a_medium_in_the_output_itself_is_shown_from_here(
    as_owner: Client, as_stranger: Client, team: Team, owner: User
) -> None:
    output = {"images": [{"url": f"data:image/png;base64,{DOT}"}, {"url": CAT}]}
    row = finished(team, owner, output)
    address = f"/requests/{row.public_id}/media/0/"
    page = as_owner.get("/requests/gallery/").text
    assert f'href="{address}"' in page
    assert DOT not in page
    reply = as_owner.get(address)
    assert (reply["Content-Type"], reply.content) == ("image/png", base64.b64decode(DOT))
    assert "sandbox" in reply["Content-Security-Policy"]
    assert as_stranger.get(address).status_code == 404
    for number in (1, 2):
        assert as_owner.get(f"/requests/{row.public_id}/media/{number}/").status_code == 404


def test_an_address_that_is_allowed_no_more_is_no_tile(
    as_owner: Client, three: list[FalRequest], settings: Any
) -> None:
    settings.FAL_MEDIA_HOSTS = []
    assert keys(as_owner) == []


def test_more_tiles_cost_no_more_queries(as_owner: Client, team: Team, owner: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as sent:
            as_owner.get("/requests/gallery/")
        return len(sent)

    finished(team, owner, pictures("a", "b"))
    few = queries()
    for _ in range(5):
        finished(team, owner, pictures("a", "b", "c"))
    assert queries() == few


def test_removed_outputs_have_no_tiles(as_owner: Client, three: list[FalRequest]) -> None:
    delete_payload(three[0].pk, person=three[0].person, now=timezone.now())
    assert len(keys(as_owner)) == 2

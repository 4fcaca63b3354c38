"""The last change: against the version before it that had other fields; and to whom it is news."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.catalogue import store
from requests_app.catalogue.versions import dismiss, last_change, news
from requests_app.fal.endpoints import EndpointId
from requests_app.models import FalRequest, Team, TeamEndpoint
from tests.builders import make_request
from tests.catalogue.conftest import DocumentServer
from tests.catalogue.documents import whole

ENDPOINT = EndpointId.parse("acme/thing")
START = timezone.now() - timedelta(days=9)


def see(server: DocumentServer, day: int, *names: str, about: str = "") -> datetime:
    properties = {name: {"type": "string"} for name in names}
    document: dict[str, Any] = whole({"In": {"type": "object", "properties": properties}})
    document["info"]["description"] = about
    server.body = json.dumps(document).encode()
    at = START + timedelta(days=day)
    store.refresh(ENDPOINT, now=at)
    return at


def told() -> tuple[list[str], datetime] | None:
    found = last_change("acme/thing", Team.objects.get_or_create(name="Acme")[0])
    return found and ([f"{one.what} {one.path}" for one in found.changes], found.at)


def test_an_endpoint_that_was_never_asked_for_or_seen_once_has_no_change(
    server: Any, db: None
) -> None:
    assert told() is None
    see(server, 0, "a")
    assert told() is None


def test_the_change_and_its_day_are_told(server: DocumentServer, db: None) -> None:
    see(server, 0, "a", "b")
    at = see(server, 1, "a", "c")
    assert told() == (["gone /b", "added /c"], at)


def test_a_version_with_the_same_fields_hides_no_change(server: DocumentServer, db: None) -> None:
    see(server, 0, "a", "b")
    at = see(server, 1, "a")
    see(server, 2, "a", about="another sample picture")
    assert told() == (["gone /b"], at)


def test_a_document_without_other_fields_is_no_change(server: DocumentServer, db: None) -> None:
    see(server, 0, "a")
    see(server, 1, "a", about="other words")
    assert told() is None


def test_a_document_that_returns_is_compared_with_the_one_it_replaced(
    server: DocumentServer, db: None
) -> None:
    see(server, 0, "a")
    see(server, 1, "a", "b")
    at = see(server, 2, "a")
    assert told() == (["gone /b"], at)


def test_a_document_is_compared_with_the_one_before_it_not_with_the_newest_ever_seen(
    server: DocumentServer, db: None
) -> None:
    see(server, 0, "a")
    see(server, 1, "a", "b")
    see(server, 2, "a")
    at = see(server, 3, "a", "c")
    assert told() == (["added /c"], at)


def test_a_notice_names_what_breaks_first_and_counts_the_rest(
    server: DocumentServer, team: Team
) -> None:
    see(server, 0, "a", "b", "c", "d", "e", "f")
    see(server, 1, "a", "z")
    found = last_change("acme/thing", team)
    assert found is not None
    assert found.summary == ["gone: b, c, d, e and 1 more", "added: z"]


@pytest.fixture
def changed(server: DocumentServer, team: Team) -> datetime:
    see(server, 0, "a", "b")
    return see(server, 1, "a")


def is_news(person: User, team: Team, *, day: float = 2) -> bool:
    return news(person, team, "acme/thing", now=START + timedelta(days=day)) is not None


def used_at(team: Team, owner: User, day: float) -> None:
    row = make_request(team=team, person=owner, endpoint_id="acme/thing")
    FalRequest.objects.filter(pk=row.pk).update(created_at=START + timedelta(days=day))


def test_it_is_news_to_a_team_that_used_the_endpoint_before(
    changed: datetime, team: Team, owner: User
) -> None:
    assert not is_news(owner, team)
    used_at(team, owner, 1.5)
    assert not is_news(owner, team)  # it never saw the old one
    used_at(team, owner, 0.5)
    FalRequest.objects.filter(created_at__gt=changed).delete()
    assert is_news(owner, team)


@pytest.mark.parametrize("flag", ["is_added", "is_favourite"])
def test_it_is_news_to_a_team_that_keeps_the_endpoint(
    changed: datetime, team: Team, owner: User, stranger: User, flag: str
) -> None:
    TeamEndpoint.objects.create(team=team, endpoint_id="acme/thing", **{flag: True})
    assert is_news(owner, team)
    assert not is_news(stranger, Team.objects.get(memberships__user=stranger))
    assert not is_news(owner, team, day=40)


def test_who_dismisses_it_is_told_again_of_the_next_change_alone(
    changed: datetime, server: DocumentServer, team: Team, owner: User, teammate: User
) -> None:
    TeamEndpoint.objects.create(team=team, endpoint_id="acme/thing", is_added=True)
    dismiss(owner, ENDPOINT, changed)
    assert not is_news(owner, team)
    assert is_news(teammate, team)
    see(server, 2, "a", "c")
    assert is_news(owner, team, day=3)

"""The endpoints of a team: what it used, added or starred, and never another team's."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.catalogue import own
from requests_app.fal.endpoints import EndpointId
from requests_app.models import ModelCard, Team, TeamEndpoint
from tests.builders import make_request


def names(team: Team, **wanted: Any) -> list[str]:
    return [one.endpoint_id for one in own.own_endpoints(team, **wanted)]


def star(team: Team, name: str, person: User, *, is_favourite: bool = True) -> None:
    own.set_favourite(team, EndpointId.parse(name), is_favourite=is_favourite, person=person)


def add(team: Team, name: str, person: User, *, is_added: bool = True) -> None:
    own.set_added(team, EndpointId.parse(name), is_added=is_added, person=person)


def test_used_added_and_starred_ones_are_one_list(team: Team, owner: User) -> None:
    make_request(team=team, person=owner, endpoint_id="acme/used")
    add(team, "acme/added", owner)
    star(team, "acme/starred", owner)
    star(team, "acme/used", owner)
    assert names(team) == ["acme/added", "acme/starred", "acme/used"]
    assert names(team, favourite=True) == ["acme/starred", "acme/used"]
    assert names(team, favourite=False) == ["acme/added"]


def test_readers_see_favourites_first_then_what_was_used_last(team: Team, owner: User) -> None:
    for name in ("acme/a", "acme/b", "acme/a"):
        make_request(team=team, person=owner, endpoint_id=name)
    add(team, "acme/0", owner)
    star(team, "acme/z", owner)
    found = own.in_order(own.own_endpoints(team))
    assert [one.endpoint_id for one in found] == ["acme/z", "acme/a", "acme/b", "acme/0"]


def test_another_teams_endpoints_are_not_there(team: Team, owner: User, stranger: User) -> None:
    other = Team.objects.get(name="Other")
    make_request(team=other, person=stranger, endpoint_id="acme/secret-app")
    add(other, "acme/added", stranger)
    star(other, "acme/starred", stranger)
    assert names(team) == []
    assert own.favourites_of(team, ["acme/starred"]) == set()
    one = own.own_endpoint(team, EndpointId.parse("acme/starred"))
    assert (one.is_favourite, one.is_added, one.last_request) == (False, False, 0)


@pytest.mark.parametrize(
    ("q", "found"),
    [("flux", ["acme/flux"]), ("FLÜX", ["acme/flux"]), ("PICTURE", ["acme/flux"]), ("vision acme", ["acme/flux"]),
     ("flux nothing", []), ("  ", ["acme/flux", "acme/other"])],
)  # fmt: skip
def test_every_word_of_a_search_is_in_id_title_or_category(
    team: Team, owner: User, q: str, found: list[str]
) -> None:
    ModelCard.objects.create(
        endpoint_id="acme/flux", title="Pícture maker", category="vision", checked_at=timezone.now()
    )
    for name in ("acme/flux", "acme/other"):
        add(team, name, owner)
    assert names(team, q=q) == found
    assert names(team, category="vision") == ["acme/flux"]


def test_nothing_is_kept_of_what_is_neither_added_nor_starred(team: Team, owner: User) -> None:
    star(team, "acme/one", owner)
    add(team, "acme/one", owner)
    star(team, "acme/one", owner, is_favourite=False)
    assert TeamEndpoint.objects.get().is_added
    add(team, "acme/one", owner, is_added=False)
    assert not TeamEndpoint.objects.exists()


def test_a_team_keeps_a_bounded_number(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "MOST", 1)
    star(team, "acme/one", owner)
    with pytest.raises(own.TooManyEndpoints, match="at most"):
        star(team, "acme/two", owner)
    add(team, "acme/one", owner)  # known already

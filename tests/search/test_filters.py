"""`tag:`, `starred:` and `group:`, asked of the rows and of the index alike."""

from __future__ import annotations

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest
from requests_app.rules.error_sentence import id_of
from requests_app.search import Matches, Scope, parse_search
from requests_app.search import scope as scopes
from tests.builders import hear, make_person, make_queued, make_request, make_result


def found(text: str, team, me: str = "olga") -> set[str]:
    search = parse_search(text)
    assert not search.problems, search.problems
    keys = Matches(Scope(team.pk, me, sees=True), search).newest(50)
    rows = FalRequest.objects.filter(pk__in=keys)
    assert set(
        Matches(Scope(team.pk, me, sees=True), search).rows.values_list("pk", flat=True)
    ) == set(keys)
    return {row.endpoint_id.removeprefix("acme/") for row in rows}


@pytest.fixture
def three(team, owner, stranger):
    """Requests a, b and c of the team, and one of another team with the same tags."""
    rows = {name: make_request(team=team, person=owner, endpoint_id=f"acme/{name}", input={"seed": 1}) for name in "ab"}  # fmt: skip
    rows["c"] = make_request(team=team, person=owner, endpoint_id="acme/c", tags="project=Big Demo")
    foreign = make_request(team=stranger.memberships.get().team, person=stranger)
    for row, person, *names in (
        (rows["a"], owner, "draft", "hero"),
        (rows["b"], owner, "draft", "größe"),
        (foreign, stranger, "draft", "hero"),
    ):
        lifecycle.add_tags(row.pk, names, person=person, now=timezone.now())
    lifecycle.set_star(rows["b"].pk, person=owner, is_on=True)
    lifecycle.set_star(rows["c"].pk, person=make_person("ben", team=team), is_on=True)
    return rows


@pytest.mark.parametrize("few", [5000, 0], ids=["rows", "index"])
def test_tags_and_stars_are_found(three, team, monkeypatch, few):
    monkeypatch.setattr(scopes, "FEW", few)
    for text, names in (
        ("tag:draft", "ab"),
        ("tag:DRAFT", "ab"),
        ("tag:draft tag:hero", "a"),
        ("tag:hero,größe", "ab"),
        ("tag:dra*", "ab"),
        ("tag:none", ""),
        ("-tag:hero", "bc"),
        ("tag:draft -tag:hero", "b"),
        ('tag:"project=big demo"', "c"),
        ("tag:project=*", "c"),
        ("tag:draft input.seed:1 endpoint:acme/a", "a"),
        ("starred:yes", "b"),
        ("starred:no", "ac"),
        ("-starred:yes", "ac"),
        ("tag:draft starred:yes", "b"),
    ):
        assert found(text, team) == set(names), text
    assert found("starred:yes", team, me="ben") == {"c"}


@pytest.mark.parametrize("few", [5000, 0], ids=["rows", "index"])
def test_a_group_of_errors_is_found_alone_and_with_other_filters(
    team, owner, stranger, monkeypatch, few
):
    monkeypatch.setattr(scopes, "FEW", few)
    rows = [make_request(team=team, person=owner, endpoint_id=f"acme/{name}") for name in "abc"]
    foreign = make_request(team=stranger.memberships.get().team, person=stranger)
    for row in (*rows[:2], foreign):
        lifecycle.fail_unsendable(row.pk, "No key", now=timezone.now())
    a, b, theirs = (
        id_of(FalRequest.objects.get(pk=row.pk).error_key) for row in (*rows[:2], foreign)
    )
    for text, names in (
        (f"group:{a}", "a"),
        (f"group:{a.upper()}", "a"),
        (f"group:{a},{b}", "ab"),
        (f"group:{a} group:{b}", "ab"),
        (f"group:{a} status:failed by:me sunset", "a"),
        (f"group:{a} status:completed", ""),
        (f"group:{a} OR endpoint:acme/c", "ac"),
        (f"-group:{a}", "bc"),
        (f"group:{theirs}", ""),
    ):
        assert found(text, team) == set(names), text


@pytest.mark.parametrize("text", ["group:12", "group:x", "starred:maybe", "tag:*", "tag:,", "tag:"])
def test_what_cannot_be_asked_is_said(text):
    assert parse_search(text).problems


@pytest.mark.parametrize("few", [5000, 0])
def test_has_finds_what_the_output_holds(team, owner, monkeypatch, few: int):
    monkeypatch.setattr(scopes, "FEW", few)
    for name, output in {
        "a": {"images": [{"url": "https://fal.media/a.png"}]},
        "b": {"video": {"url": "https://fal.media/b.mp4"}, "poster": "https://fal.media/b.png"},
        "c": {"text": "none"},
    }.items():
        row = make_queued(f"req-{name}", team=team, person=owner, endpoint_id=f"acme/{name}")
        hear(row, make_result(output=output))
    for text, names in {
        "has:media": "ab", "has:image": "ab", "has:video": "b", "has:audio,video": "b", "-has:video": "ac",
        "-has:media": "c", "has:media status:completed": "ab", "has:video sunset": "b",
    }.items():  # fmt: skip
        assert found(text, team) == set(names), text
    assert parse_search("has:pictures").problems

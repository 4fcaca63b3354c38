"""Tags and stars: what is stored, told and bounded."""

from __future__ import annotations

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.display.marks import own_names, tags_of
from requests_app.lifecycle import tagging
from requests_app.models import FalRequest, Star, Tag, Tagging, Team
from requests_app.request_input import Draft, InvalidDraft
from requests_app.rules.tag_names import BadTags
from tests.builders import fresh, make_request


def tag(row, person, *names):
    return lifecycle.add_tags(row.pk, names, person=person, now=timezone.now())


def untag(row, person, *names):
    return lifecycle.remove_tags(row.pk, names, person=person, now=timezone.now())


def test_a_tag_is_put_on_once_told_in_the_history_and_taken_off(row, owner):
    before = row.seq
    assert tag(row, owner, "draft", "hero") == ["draft", "hero"]
    assert tag(row, owner, "draft") == []
    assert own_names(row) == ["draft", "hero"]
    assert fresh(row).seq > before  # open pages show it
    assert untag(row, owner, "draft", "unknown") == ["draft"]
    assert untag(row, owner, "draft") == []
    assert own_names(row) == ["hero"]
    told = row.observations.filter(kind="tagged").order_by("pk")
    assert list(told.values_list("note", flat=True)) == [
        "olga tagged it draft, hero.",
        "olga took the tag draft off.",
    ]
    assert fresh(row).status == row.status


def test_tags_of_two_teams_have_nothing_to_do_with_each_other(row, owner, stranger):
    other = make_request(team=Team.objects.get(name="Other"), person=stranger)
    tag(row, owner, "draft")
    tag(other, stranger, "draft")
    assert Tag.objects.count() == 2
    untag(row, owner, "draft")
    assert (own_names(row), own_names(other)) == ([], ["draft"])


def test_the_tags_of_a_request_and_of_a_team_are_bounded(row, owner, monkeypatch):
    tag(row, owner, *(f"t{number}" for number in range(20)))
    with pytest.raises(BadTags, match="it has 20"):
        tag(row, owner, "one-more")
    monkeypatch.setattr(tagging, "MOST_OF_A_TEAM", 20)
    second = make_request(team=row.team, person=owner)
    with pytest.raises(BadTags, match="at most 20 different tags"):
        tag(second, owner, "one-more")
    assert tag(second, owner, "t3") == ["t3"]
    with pytest.raises(InvalidDraft, match="different tags"):
        lifecycle.create(
            Draft("acme/img", "queue", "{}", {}, ("one-more",)),
            team=row.team, person=owner, now=timezone.now(),
        )  # fmt: skip
    assert FalRequest.objects.count() == 2


def test_what_fal_is_told_is_a_tag_that_stays(team, owner):
    row = make_request(team=team, person=owner, tags="project=Demo,client=acme")
    assert [(one.name, one.is_fals) for one in tags_of(row)] == [
        ("client=acme", True),
        ("project=Demo", True),
    ]
    assert untag(row, owner, "project=demo") == []
    assert tag(row, owner, "project=demo") == ["project=demo"]
    assert own_names(row) == ["project=demo"]


def test_a_repeat_has_the_tags_of_its_source_unless_it_names_its_own(row, owner):
    tag(row, owner, "draft")
    again = make_request(team=row.team, person=owner, again_of=row)
    assert own_names(again) == ["draft"]
    draft = Draft("acme/img", "queue", "{}", {}, ())
    plain = lifecycle.create(draft, team=row.team, person=owner, now=timezone.now(), again_of=row)
    assert own_names(plain) == []


def test_a_star_is_a_users_own_and_no_part_of_the_history(row, owner, viewer):
    before = row.observations.count()
    assert lifecycle.set_star(row.pk, person=owner, is_on=True)
    assert not lifecycle.set_star(row.pk, person=owner, is_on=True)
    assert lifecycle.set_star(row.pk, person=viewer, is_on=True)
    assert lifecycle.set_star(row.pk, person=owner, is_on=False)
    assert not lifecycle.set_star(row.pk, person=owner, is_on=False)
    assert list(Star.objects.values_list("user__username", flat=True)) == ["vera"]
    assert row.observations.count() == before


def test_tags_and_stars_go_with_their_request(row, owner):
    tag(row, owner, "draft")
    lifecycle.set_star(row.pk, person=owner, is_on=True)
    row.observations.all().delete()
    FalRequest.objects.filter(pk=row.pk).delete()
    assert not Tagging.objects.exists() and not Star.objects.exists()

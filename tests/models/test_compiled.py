"""Compiled queries answer what the queryset answers, whatever the values and however many."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from requests_app.models import FalRequest, Membership, Team
from requests_app.models.compiled import CompiledQuery
from tests.builders import make_person, make_request

pytestmark = pytest.mark.django_db


def test_models_come_with_what_was_selected_for_them(
    team: Team, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    mine: CompiledQuery[Membership] = CompiledQuery(
        lambda user: (
            Membership.objects.judged()
            .filter(user=user)
            .select_related("team")
            .only("role", "user", "team__name")
        )
    )
    with django_assert_num_queries(1):
        [found] = mine.all(user=owner.pk)
        assert (found.team.name, found.role, found.is_held_back) == (team.name, "owner", False)
    assert found.get_deferred_fields() == {"is_service", "sees_payloads"}
    assert mine.first(user=make_person("nina").pk) is None


def test_a_second_answer_is_of_its_own_values(team: Team, owner: User) -> None:
    rows = [make_request(team=team, person=owner) for _ in range(4)]
    named: CompiledQuery[tuple[int, str]] = CompiledQuery(
        lambda keys: FalRequest.objects.filter(pk__in=keys).order_by("pk").values_list("pk", "mode")
    )
    for keys in ([rows[0].pk], [rows[1].pk], [rows[3].pk, rows[2].pk], [], [0]):
        expected = [(key, "queue") for key in sorted(keys) if key]
        assert named.all(keys=keys) == expected


def test_values_are_converted_as_django_does_it(team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(cost="1.25", ended_at=timezone.now())
    names = ("public_id", "created_at", "ended_at", "cost", "metrics", "started_at_is_derived")
    since: CompiledQuery[tuple[object, ...]] = CompiledQuery(
        lambda moment: FalRequest.objects.filter(created_at__gte=moment).values_list(*names)
    )
    earlier, later = (timezone.now() + timedelta(minutes=minutes) for minutes in (-1, 1))
    assert since.all(moment=earlier) == list(FalRequest.objects.values_list(*names))
    assert since.all(moment=later) == []


def test_the_query_is_built_once_for_a_number_of_values(team: Team) -> None:
    built = []

    def make(keys):
        built.append(len(keys))
        return Team.objects.filter(pk__in=keys)

    teams: CompiledQuery[Team] = CompiledQuery(make)
    for keys in ([team.pk], [0], [team.pk, 0], [0]):
        teams.all(keys=keys)
    assert built == [1, 2]


def test_a_column_is_found_by_its_field(team: Team) -> None:
    teams: CompiledQuery[Team] = CompiledQuery(lambda pk: Team.objects.filter(pk=pk).only("name"))
    [raw] = teams.raw(pk=team.pk)
    assert raw[teams.place(Team, "name")] == team.name
    with pytest.raises(KeyError):
        teams.place(Team, "created_at")

"""Who may see and do what: owner, teammate, viewer, stranger, nobody."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from requests_app.models import FalRequest, Membership, Role, Team
from requests_app.teams.choice import SESSION_KEY, NotChosen, NoTeam
from requests_app.views.access import (
    get_actable_or_404,
    get_request_or_404,
    member_required,
    membership_of,
    team_of,
    team_required,
)
from tests.builders import hear, make_request, make_result


def asked_by(user: Any, **session: Any) -> HttpRequest:
    request = RequestFactory().get("/requests/")
    request.user = user
    request.session = SessionStore()
    request.session.update(session)
    return request


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("seen")


# --- the team


def test_somebody_with_one_team_has_chosen_it_and_keeps_it(team: Team, owner: User) -> None:
    request = asked_by(owner)
    assert team_of(request) == team
    Membership.objects.create(team=Team.objects.create(name="Aardvark"), user=owner)
    assert team_of(asked_by(owner, **request.session)) == team


def test_somebody_with_several_teams_is_asked(team: Team, owner: User) -> None:
    Membership.objects.create(team=Team.objects.create(name="Aardvark"), user=owner)
    with pytest.raises(NotChosen) as asked:
        team_of(asked_by(owner))
    assert not asked.value.is_lost


def test_the_chosen_team_counts(team: Team, owner: User) -> None:
    later = Team.objects.create(name="Zebra")
    Membership.objects.create(team=later, user=owner, role=Role.VIEWER)
    membership = membership_of(asked_by(owner, **{SESSION_KEY: later.pk}))
    assert (membership.team, membership.role) == (later, Role.VIEWER)


@pytest.mark.parametrize("chosen", ["foreign", "gone"])
@pytest.mark.parametrize("others", [0, 1])
def test_no_other_team_takes_the_place_of_a_lost_one(
    chosen: str, others: int, team: Team, owner: User, stranger: User
) -> None:
    for number in range(others):
        Membership.objects.create(team=Team.objects.create(name=f"A{number}"), user=owner)
    key = {"foreign": Team.objects.of(stranger).get().pk, "gone": 10**9}[chosen]
    request = asked_by(owner, **{SESSION_KEY: key})
    with pytest.raises(NotChosen) as asked:
        team_of(request)
    assert asked.value.is_lost
    assert request.session[SESSION_KEY] == key
    page = team_required(view)(request)
    assert page.status_code == 409
    assert b"Choose a team" in page.content


def test_the_membership_is_looked_up_once_for_a_page(
    owner: User, django_assert_max_num_queries: Any
) -> None:
    request = asked_by(owner)
    with django_assert_max_num_queries(2):
        assert membership_of(request) is membership_of(request)


@pytest.mark.parametrize("who", ["nobody", "teamless"])
def test_who_has_no_team_gets_none(who: str, owner: User) -> None:
    Membership.objects.all().delete()
    with pytest.raises(NoTeam):
        membership_of(asked_by(AnonymousUser() if who == "nobody" else owner))


# --- one request


def test_the_whole_team_sees_the_request(
    row: FalRequest, owner: User, teammate: User, viewer: User
) -> None:
    for person in (owner, teammate, viewer):
        assert get_request_or_404(person, row.public_id) == row
        assert get_request_or_404(person, str(row.public_id)) == row


def test_a_foreign_request_and_a_missing_one_are_the_same(row: FalRequest, stranger: User) -> None:
    for person, public_id in (
        (stranger, row.public_id), (stranger, uuid.uuid4()), (AnonymousUser(), row.public_id),
    ):  # fmt: skip
        with pytest.raises(Http404) as missing:
            get_request_or_404(person, public_id)
        assert str(missing.value).replace(str(public_id), "") == str(
            missing_of(stranger).value
        ).replace(str(MISSING), "")


MISSING = uuid.UUID(int=5)


def missing_of(person: Any) -> pytest.ExceptionInfo[Http404]:
    with pytest.raises(Http404) as missing:
        get_request_or_404(person, MISSING)
    return missing


@pytest.mark.parametrize("public_id", ["", "x", "1", "0" * 33, "' OR 1=1 --", "\0"])
def test_a_text_that_is_no_id_is_missing_too(public_id: str, row: FalRequest, owner: User) -> None:
    with pytest.raises(Http404):
        get_request_or_404(owner, public_id)


def test_the_id_in_the_database_opens_nothing(row: FalRequest, owner: User) -> None:
    with pytest.raises(Http404):
        get_request_or_404(owner, str(row.pk))


def test_large_columns_are_left_out_on_request(row: FalRequest, owner: User, team: Team) -> None:
    hear(row, make_result())
    again = make_request(team=team, person=owner, again_of=row)
    light = get_request_or_404(owner, again.public_id, full=False)
    assert {"input_text", "output", "search_text"} <= light.get_deferred_fields()
    full = get_request_or_404(owner, again.public_id)
    assert full.get_deferred_fields() == set()
    assert "output" in full.again_of.get_deferred_fields()  # type: ignore[union-attr]


def test_members_act_and_viewers_do_not(
    row: FalRequest, owner: User, teammate: User, viewer: User, stranger: User
) -> None:
    assert get_actable_or_404(asked_by(owner), row.public_id) == row
    assert get_actable_or_404(asked_by(teammate), row.public_id) == row
    with pytest.raises(PermissionDenied):
        get_actable_or_404(asked_by(viewer), row.public_id)
    with pytest.raises(Http404):
        get_actable_or_404(asked_by(stranger), row.public_id)


def test_the_role_in_the_requests_own_team_counts(row: FalRequest, viewer: User) -> None:
    """Being the owner of another team gives no right here."""
    other = Team.objects.create(name="Other")
    Membership.objects.create(team=other, user=viewer, role=Role.OWNER)
    with pytest.raises(PermissionDenied):
        get_actable_or_404(asked_by(viewer), row.public_id)


# --- pages


def test_pages_ask_for_a_log_in_first(team: Team) -> None:
    for guarded in (team_required(view), member_required(view)):
        reply = guarded(asked_by(AnonymousUser()))
        assert reply.status_code == 302
        assert "login" in reply["Location"]


def test_every_member_sees_and_only_a_viewer_may_not_act(
    owner: User, teammate: User, viewer: User
) -> None:
    for person in (owner, teammate, viewer):
        assert team_required(view)(asked_by(person)).content == b"seen"
    assert member_required(view)(asked_by(teammate)).content == b"seen"
    with pytest.raises(PermissionDenied):
        member_required(view)(asked_by(viewer))


def test_somebody_without_a_team_is_told_so(as_owner: Client, owner: User) -> None:
    Membership.objects.all().delete()
    reply = as_owner.get("/requests/")
    assert reply.status_code == 403
    assert b"team" in reply.content

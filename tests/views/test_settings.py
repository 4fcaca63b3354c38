"""The settings page: who sees what, who may do what, what is shown once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.models import Invitation, Role
from requests_app.teams import invitations
from tests.browsers import Browser
from tests.builders import make_person

PAGE = reverse("requests:settings")
ROLES = ["owner", "admin", "member", "viewer"]


def as_role(team: Any, role: str) -> Client:
    client = Browser()
    client.force_login(make_person(f"the-{role}", team=team, role=role))
    return client


def actions(team: Any, target: Any, invitation: int = 1) -> dict[str, dict[str, str]]:
    """Every POST of somebody who manages people."""
    return {
        reverse("requests:add_member"): {"username": "nobody", "role": "member"},
        reverse("requests:change_role", args=[target.pk]): {"role": "viewer"},
        reverse("requests:remove_member", args=[target.pk]): {},
        reverse("requests:invite"): {"role": "member"},
        reverse("requests:set_duplicates"): {"minutes": "5"},
        reverse("requests:withdraw", args=[invitation]): {},
        reverse("requests:set_copies"): {"is_on": "on", "quota_gb": "5", "largest_mb": "100"},
    }


@pytest.fixture
def target(team, owner, teammate):
    return team.memberships.get(user=teammate)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_sees_the_members_and_who_manages_sees_the_forms(team, owner, role):
    shown = as_role(team, role).get(PAGE).text
    assert "olga" in shown
    assert ("Create a link" in shown) == (role in ("owner", "admin"))
    assert ('<option value="owner"' in shown) == (role == "owner")
    assert "Create a token" in shown


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_who_does_not_manage_is_refused_in_words_and_changes_nothing(team, target, role):
    client = as_role(team, role)
    for path, values in actions(team, target).items():
        reply = client.post(path, values)
        assert reply.status_code == 403
        assert "An owner or admin" in reply.text
    target.refresh_from_db()
    assert target.role == Role.MEMBER
    assert not Invitation.objects.exists()


def test_the_people_of_another_team_are_not_there(as_stranger, team, owner, target):
    mine = team.memberships.get(user=owner)
    invitations.invite(team, Role.MEMBER, by=mine, now=timezone.now())
    paths = list(actions(team, target, Invitation.objects.get().pk).items())
    missing = as_stranger.post(reverse("requests:remove_member", args=[10**6]))
    for path, values in (paths[1], paths[2], paths[5]):
        reply = as_stranger.post(path, values)
        assert reply.status_code == 404
        assert reply.content == missing.content
    assert "olga" not in as_stranger.get(PAGE).text
    assert target.__class__.objects.filter(pk=target.pk).exists()


def test_somebody_logged_out_or_without_the_forms_token_changes_nothing(team, owner, target):
    for path, values in actions(team, target).items():
        assert Client().post(path, values)["Location"].startswith("/accounts/login/")
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(owner)
        assert strict.post(path, values).status_code == 403
        assert Client().get(path).status_code in (302, 405)
    target.refresh_from_db()


def test_an_owner_invites_changes_and_removes(as_owner, team):
    ann = make_person("ann")
    said = as_owner.post(reverse("requests:add_member"), {"username": "ann", "role": "viewer"}, follow=True)  # fmt: skip
    assert "Invited. If “ann” has an account here" in said.text
    assert not team.memberships.filter(user=ann).exists()
    invitations.accept_offer(Invitation.objects.get().pk, ann, now=timezone.now())
    pk = team.memberships.get(user=ann).pk
    as_owner.post(reverse("requests:change_role", args=[pk]), {"role": "admin"})
    assert team.memberships.get(user=ann).role == Role.ADMIN
    as_owner.post(reverse("requests:remove_member", args=[pk]))
    assert not team.memberships.filter(user=ann).exists()


def test_a_refusal_is_said_and_what_was_typed_stays(as_owner, team, owner):
    reply = as_owner.post(reverse("requests:add_member"), {"username": "olga", "role": "viewer"})
    assert reply.status_code == 422
    assert "olga is in the team already" in reply.text
    assert 'value="olga"' in reply.text
    mine = team.memberships.get(user=owner)
    said = as_owner.post(reverse("requests:remove_member", args=[mine.pk]), follow=True)
    assert "A team needs an owner" in said.text
    said = as_owner.post(reverse("requests:change_role", args=[mine.pk]), {"role": "king"}, follow=True)  # fmt: skip
    assert "There is no such role" in said.text


def test_a_link_is_shown_once_and_lets_somebody_new_in(as_owner, team, client):
    made = as_owner.post(reverse("requests:invite"), {"role": "viewer"})
    link = re.search(r"http://testserver(/join/[\w-]+/)", made.text)
    assert made.status_code == 201 and link
    assert "no-store" in made["Cache-Control"]
    assert link[1] not in as_owner.get(PAGE).text
    assert "Join Acme" in client.get(link[1]).text
    short = client.post(link[1], {"username": "ann", "password": "short"})
    assert short.status_code == 422
    taken = client.post(link[1], {"username": "olga", "password": "four plain words"})
    assert "taken" in taken.text
    done = client.post(link[1], {"username": "ann", "password": "four plain words"}, follow=True)
    assert "You are in Acme now." in done.text
    assert team.memberships.get(user__username="ann").role == Role.VIEWER
    used = Client().get(link[1])
    assert used.status_code == 410 and "was used already" in used.text
    assert Client().get("/join/never/").status_code == 404


def test_who_has_an_account_joins_with_it(as_stranger, as_owner, team, stranger):
    made = as_owner.post(reverse("requests:invite"), {"role": "member"})
    path = re.search(r"/join/[\w-]+/", made.text)
    assert path and "Join as sam" in as_stranger.get(path[0]).text
    assert not team.memberships.filter(user=stranger).exists()  # looking is not accepting
    as_stranger.post(path[0])
    assert team.memberships.get(user=stranger).role == Role.MEMBER
    assert as_stranger.get(PAGE).text.count("Acme: settings") == 1


def test_the_settings_do_not_tell_which_names_exist(as_owner, team):
    """The same words, the same list: before and after the person has declined."""
    person, pages = make_person("exists"), {}
    for name in ("exists", "absent"):
        said = as_owner.post(reverse("requests:add_member"), {"username": name, "role": "viewer"}, follow=True)  # fmt: skip
        again = as_owner.post(reverse("requests:add_member"), {"username": name, "role": "viewer"})
        if name == "exists":
            invitations.decline(Invitation.objects.get().pk, person, now=timezone.now())
        shown = as_owner.get(PAGE).text
        row = re.search(
            rf"<li>\s*<span[^>]*>\s*{name} ·[^<]*<(?:(?!<li>).)*?</li>", shown, re.DOTALL
        )
        error = re.search(r'id="id_username_error">[^<]*', again.text)
        assert row and error
        said_words = re.search(r"Invited\.[^<]*", said.text)
        assert said_words
        pages[name] = [
            re.sub(r"\d+/withdraw|value=\"[^\"]*\"|<time.*?</time>", "", text.replace(name, "NAME"))
            for text in (row[0], error[0], said_words[0])
        ]
    assert pages["exists"] == pages["absent"]


def test_who_is_removed_may_know_a_link_and_the_manager_is_told(as_owner, team, target):
    as_owner.post(reverse("requests:invite"), {"role": "member"})
    said = as_owner.post(reverse("requests:remove_member", args=[target.pk]), follow=True)
    assert "has left the team. 1 open invitation link still works" in said.text


def test_an_invitation_can_be_withdrawn(as_owner, team):
    as_owner.post(reverse("requests:invite"), {"role": "member"})
    assert "Withdraw" in as_owner.get(PAGE).text
    as_owner.post(reverse("requests:withdraw", args=[Invitation.objects.get().pk]))
    assert "Withdraw" not in as_owner.get(PAGE).text


@pytest.mark.parametrize(("typed", "kept"), [("5", 5), ("", None), ("1440", 1440)])
def test_the_minutes_of_the_same_request_are_the_teams(as_owner, team, typed, kept):
    assert as_owner.post(reverse("requests:set_duplicates"), {"minutes": typed}).status_code == 302
    team.refresh_from_db()
    assert team.duplicate_minutes == kept
    assert f'value="{typed}"' in as_owner.get(PAGE).content.decode()


@pytest.mark.parametrize("typed", ["0", "-1", "1441", "ten", "1.5", "9" * 50])
def test_minutes_that_are_none_change_nothing_and_stay_typed(as_owner, team, typed):
    reply = as_owner.post(reverse("requests:set_duplicates"), {"minutes": typed})
    assert reply.status_code == 422
    assert f'value="{typed}"' in reply.content.decode()
    team.refresh_from_db()
    assert team.duplicate_minutes == 10

"""The invitations of a person: shown to them alone, accepted or declined by them alone."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.models import Invitation, Role, Team
from requests_app.teams import invitations

PAGE = reverse("requests:invitations")


@pytest.fixture
def offer(team: Team, owner: User, stranger: User) -> int:
    """Olga of Acme invites sam, who is in another team."""
    mine = team.memberships.get(user=owner)
    invitations.offer(team, stranger.username, Role.VIEWER, by=mine, now=timezone.now())
    return Invitation.objects.get().pk


def accept(pk: int) -> str:
    return reverse("requests:accept_invitation", args=[pk])


def decline(pk: int) -> str:
    return reverse("requests:decline_invitation", args=[pk])


def test_the_header_counts_them_and_the_page_shows_them(as_stranger, as_viewer, offer):
    shown = as_stranger.get(PAGE).text
    assert "<strong>Acme</strong> · viewer" in shown and "Invited by olga" in shown
    header = as_stranger.get("/requests/").text
    assert re.search(r'1<span\s+class="visually-hidden"> open invitation</span>', header)
    for text in (as_viewer.get(PAGE).text, as_viewer.get("/requests/").text):
        assert "invited by" not in text and 'class="count"' not in text


def test_accepting_lets_in_once(as_stranger, team, stranger, offer):
    as_stranger.get("/requests/")
    said = as_stranger.post(accept(offer), follow=True)
    assert "You are a member of Acme now." in said.text
    assert team.memberships.get(user=stranger).role == Role.VIEWER
    assert as_stranger.post(accept(offer)).status_code == 404


def test_declining_stays_out(as_stranger, team, stranger, offer):
    assert "declined" in as_stranger.post(decline(offer), follow=True).text
    for path in (accept(offer), decline(offer)):
        assert as_stranger.post(path).status_code == 404
    assert not team.memberships.filter(user=stranger).exists()


def test_anothers_invitation_is_as_missing_as_none(as_viewer, as_owner, team, stranger, offer):
    for client in (as_viewer, as_owner):
        for path in (accept, decline):
            theirs, none = client.post(path(offer)), client.post(path(10**9))
            assert theirs.status_code == none.status_code == 404
            assert theirs.content == none.content
    assert not team.memberships.filter(user=stranger).exists()


def test_only_a_post_with_the_forms_token_accepts(stranger, team, offer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(stranger)
    assert strict.get(accept(offer)).status_code == 405
    assert strict.post(accept(offer)).status_code == 403
    assert Client().post(accept(offer))["Location"].startswith("/accounts/login/")
    assert not team.memberships.filter(user=stranger).exists()


def test_who_is_in_no_team_finds_them_too(team, owner, offer):
    client = Client()
    client.force_login(User.objects.create_user("alone"))
    mine = team.memberships.get(user=owner)
    invitations.offer(team, "alone", Role.MEMBER, by=mine, now=timezone.now())
    assert "See your invitations (1)" in client.get("/requests/").text
    client.post(accept(Invitation.objects.get(to_name="alone").pk))
    assert "Requests · Acme" in client.get("/requests/").text


def test_a_withdrawn_one_is_gone_from_the_page(as_stranger, team, offer):
    invitations.withdraw(team, offer, now=timezone.now())
    assert "No open invitations" in as_stranger.get(PAGE).text

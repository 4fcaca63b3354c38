"""Reset links by owners and admins: for whom they may be made, and that they are the member's alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.test import Client

from requests_app.models import AuditAct, AuditEntry, Membership, Role, Team
from tests.browsers import Browser
from tests.builders import make_person

NEW = "another long pass phrase"


def post(browser: Client, user: User, team: Team) -> Any:
    pk = Membership.objects.get(user=user, team=team).pk
    return browser.post(f"/settings/members/{pk}/reset-link/", follow=True)


def admin_of(team: Team) -> Client:
    browser = Browser()
    browser.force_login(make_person("anna", team=team, role=Role.ADMIN))
    return browser


def test_a_link_is_shown_once_and_sets_the_members_password(
    as_owner: Client, team: Team, teammate: User
) -> None:
    shown = post(as_owner, teammate, team)
    assert shown.status_code == 201
    found = re.search(r"http://testserver(/accounts/password/reset/key/[^<\"]+)", shown.text)
    assert found and found[1] not in as_owner.get("/settings/").text
    browser = Client()
    path = browser.get(found[1], follow=True).redirect_chain[-1][0]
    browser.post(path, {"password1": NEW, "password2": NEW})
    teammate.refresh_from_db()
    assert teammate.check_password(NEW)
    entry = AuditEntry.objects.get(act=AuditAct.RESET_LINK_MADE)
    assert (entry.actor, entry.label, entry.chain) == ("olga", "tom", team.pk)
    assert found[1] not in entry.details


def test_no_link_to_who_has_more_than_the_maker_manages(
    as_owner: Client, as_viewer: Client, owner: User, viewer: User, team: Team, teammate: User
) -> None:
    assert post(as_viewer, teammate, team).status_code == 403
    assert "Only an owner" in post(admin_of(team), owner, team).text  # an admin, of an owner
    assert "Your own password" in post(as_owner, owner, team).text
    other = Team.objects.create(name="Other")
    Membership.objects.create(team=other, user=teammate, role=Role.VIEWER)
    assert "You do not manage all" in post(as_owner, teammate, team).text
    Membership.objects.create(team=other, user=owner, role=Role.MEMBER)
    chosen = Browser(headers={"X-Made-For": str(team.pk)})
    chosen.force_login(owner)
    assert "You do not manage all" in post(chosen, teammate, team).text
    Membership.objects.filter(team=other, user=owner).update(role=Role.ADMIN)
    assert post(chosen, teammate, team).status_code == 201
    User.objects.filter(pk=viewer.pk).update(is_superuser=True)
    assert "You do not manage all" in post(chosen, viewer, team).text


def test_no_link_to_another_teams_member_nor_to_who_gets_mail_or_has_no_password(
    as_owner: Client, stranger: User, team: Team, teammate: User, settings: Any
) -> None:
    pk = Membership.objects.get(user=stranger).pk
    assert as_owner.post(f"/settings/members/{pk}/reset-link/").status_code == 404
    settings.EMAIL_HOST = "mail.example"
    EmailAddress.objects.create(user=teammate, email="tom@example.org", verified=True)
    assert "gets a link by mail" in post(as_owner, teammate, team).text
    settings.EMAIL_HOST = ""
    User.objects.filter(pk=teammate.pk).update(password="!none")
    assert "does not log in with a password" in post(as_owner, teammate, team).text
    assert not AuditEntry.objects.filter(act=AuditAct.RESET_LINK_MADE).exists()


@pytest.mark.parametrize(("host", "shown"), [("", True), ("mail.example", False)])
def test_the_button_is_there_where_no_mail_reaches_the_member(
    as_owner: Client, teammate: User, settings: Any, host: str, shown: bool
) -> None:
    settings.EMAIL_HOST = host
    EmailAddress.objects.create(user=teammate, email="tom@example.org", verified=True)
    assert ("Make a link" in as_owner.get("/settings/").text) is shown

"""A team that requires two factors: what a member without a second one gets, and how they come in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from requests_app.models import AuditAct, AuditEntry, FalRequest, Membership, Role, Team
from tests.browsers import Browser
from tests.builders import make_request
from tests.factors import PATH, post, turned_on

CLOSED = "Acme requires two factors"
PAGES = (
    "/requests/",
    "/requests/new/",
    "/overview/",
    "/settings/",
    "/settings/team/",
    "/endpoints/",
)


@pytest.fixture(autouse=True)
def _secrets(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, []


@pytest.fixture
def tom(team: Team, teammate: User) -> Browser:
    """A member without a factor, in a team that requires two, and in another one."""
    Team.objects.filter(pk=team.pk).update(requires_factors=True)
    browser = Browser()
    browser.force_login(teammate)
    return browser


@pytest.fixture
def other(teammate: User) -> Team:
    made = Team.objects.create(name="Other")
    Membership.objects.create(team=made, user=teammate, role=Role.OWNER)
    return made


def test_pages_say_why_fragments_in_words_and_nothing_is_written(
    tom: Browser, row: FalRequest, team: Team
) -> None:
    one = f"/requests/{row.public_id}/"
    for path in (*PAGES, one):
        said = tom.get(path)
        assert (said.status_code, said["X-Refusal"]) == (403, "factor"), path
        assert CLOSED in said.text and reverse("mfa_activate_totp") in said.text, path
        assert row.endpoint_id not in said.text, path
    for path in (*PAGES, one, f"{one}result/", "/requests/changes/?since=0", "/requests/counts/"):
        said = tom.get(path, headers={"HX-Request": "true"})
        assert (said.status_code, said["X-Refusal"]) == (403, "factor"), path
        assert said.json()["detail"].startswith(CLOSED), path
    form = {"made_for": str(team.pk), "endpoint_id": "acme/img", "input": "{}", "mode": "queue"}
    for path in ("/requests/new/", f"{one}cancel/", "/settings/tokens/"):
        assert CLOSED in tom.post(path, form).text, path
    assert FalRequest.objects.count() == 1 and Membership.objects.filter(team=team).count() == 2
    # What looks into all of a user's teams looks past this one.
    assert tom.get(f"/requests/ended/?tell={row.public_id}").json()["ended"] == []
    seen = tom.get(f"/requests/thumbnails/?ids={row.public_id}").json()
    assert seen == tom.get("/requests/thumbnails/?ids=").json()


def test_the_set_up_leads_on_to_the_page_that_was_asked_for(tom: Browser, team: Team) -> None:
    wanted = f"/requests/?team={team.pk}&q=is%3Afailed"
    assert CLOSED in tom.get(wanted).text
    assert "Go on to Acme" not in tom.get("/accounts/factors/").text
    turned_on(tom)
    codes = tom.get("/accounts/factors/recovery-codes/").text
    assert f'href="{wanted.replace("&", "&amp;")}">Go on to Acme' in codes
    assert tom.get(wanted).status_code == 200
    assert "Go on to Acme" not in tom.get("/accounts/factors/").text
    post(tom, "totp/deactivate/")
    assert CLOSED in tom.get(wanted).text


def test_other_teams_stay_usable_and_the_switch_shows_both(
    tom: Browser, other: Team, team: Team, owner: User
) -> None:
    mine = make_request(team=other, person=owner)
    theirs = make_request(team=team, person=owner)
    listed = tom.get("/requests/")
    assert str(mine.public_id) in listed.text and str(theirs.public_id) not in listed.text
    assert "requires two factors" in listed.text  # in the switch
    assert tom.get(f"/requests/{mine.public_id}/").status_code == 200
    assert tom.post(reverse("requests:switch_team"), {"team": team.pk}).status_code == 302
    closed = tom.get("/requests/")
    assert CLOSED in closed.text and "Other" in closed.text
    assert tom.get(f"/requests/?team={other.pk}").status_code == 200
    assert CLOSED in tom.get(f"/requests/?team={team.pk}").text
    assert tom.post(reverse("requests:switch_team"), {"team": other.pk}).status_code == 302
    assert tom.get("/requests/").status_code == 200


def test_who_has_a_factor_is_told_to_owners_and_admins_and_the_owner_turns_it_on(
    as_owner: Client, as_viewer: Client, team: Team, teammate: User
) -> None:
    tom = Browser()
    tom.force_login(teammate)
    refused = as_owner.post(reverse("requests:require_factors"), {"required": "1"}, follow=True)
    assert "Set up a second factor for your own account first" in refused.text
    turned_on(as_owner)
    page = as_owner.get(reverse("requests:team")).text
    assert 'Without a second factor: <span class="wrap">tom, vera</span>' in page
    people = as_owner.get("/settings/").text
    assert people.count("One factor") == 2 and people.count(">Two factors<") == 1
    assert "One factor" not in as_viewer.get("/settings/").text
    assert tom.post(reverse("requests:require_factors"), {"required": "1"}).status_code == 403
    said = as_owner.post(reverse("requests:require_factors"), {"required": "1"}, follow=True)
    assert "Every member needs two factors now." in said.text
    assert CLOSED in as_viewer.get("/requests/").text
    said = as_owner.post(reverse("requests:require_factors"), {"required": "0"}, follow=True)
    assert "no longer required" in said.text and tom.get("/requests/").status_code == 200


def leave(browser: Browser, page: Any) -> Any:
    """Press the button of the page that says why nothing is shown."""
    found = re.search(
        r'action="/settings/team/leave/">.*?name="made_for" value="([^"]+)"', page.text, re.S
    )
    assert found, page.text
    return browser.post(reverse("requests:leave_team"), {"made_for": found[1]}, follow=True)


def test_a_member_who_is_held_back_may_leave(tom: Browser, team: Team, teammate: User) -> None:
    left = leave(tom, tom.get("/requests/"))
    assert "You have left Acme." in left.text
    assert not Membership.objects.filter(user=teammate).exists()
    act = AuditEntry.objects.get(act=AuditAct.LEFT)
    assert (act.chain, act.actor) == (team.pk, "tom")


@pytest.mark.parametrize("chosen", ["", "team", "other"])
def test_that_leaves_the_team_of_the_page_and_no_other(
    tom: Browser, team: Team, other: Team, teammate: User, chosen: str
) -> None:
    if chosen:
        pk = team.pk if chosen == "team" else other.pk
        tom.post(reverse("requests:switch_team"), {"team": pk})
    assert "You have left Acme." in leave(tom, tom.get(f"/requests/?team={team.pk}")).text
    assert list(Membership.objects.filter(user=teammate).values_list("team", flat=True)) == [
        other.pk
    ]


def test_the_only_owner_who_is_held_back_stays(team: Team, owner: User) -> None:
    Team.objects.filter(pk=team.pk).update(requires_factors=True)
    browser = Browser()
    browser.force_login(owner)
    assert "A team needs an owner" in leave(browser, browser.get("/requests/")).text
    assert Membership.objects.filter(team=team, user=owner).exists()


def test_a_foreign_team_cannot_be_left(as_stranger: Client, team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(requires_factors=True)
    said = as_stranger.post(reverse("requests:leave_team"), {"made_for": str(team.pk)})
    assert said.status_code == 409 and "Acme" not in said.text


def test_the_last_factor_says_which_teams_it_closes(
    tom: Browser, team: Team, other: Team, teammate: User
) -> None:
    def warnings() -> list[bool]:
        key = Authenticator.objects.filter(user=teammate, type="webauthn").first()
        pages = ["totp/deactivate/", *([f"webauthn/keys/{key.pk}/remove/"] if key else [])]
        texts = [tom.get(f"{PATH}/{page}").text for page in pages]
        return ["<strong>Acme</strong> requires one" in text for text in texts]

    turned_on(tom)
    assert warnings() == [True]
    Authenticator.objects.create(user=teammate, type="webauthn", data={"name": "key"})
    assert warnings() == [False, False]
    Authenticator.objects.filter(user=teammate, type="totp").delete()
    assert True in warnings()
    Team.objects.filter(pk=team.pk).update(requires_factors=False)
    assert True not in warnings()
    Team.objects.update(requires_factors=True)
    key = Authenticator.objects.get(user=teammate, type="webauthn")
    text = tom.get(f"{PATH}/webauthn/keys/{key.pk}/remove/").text
    assert "<strong>Acme, Other</strong>" in text and "Your membership stays" in text

"""The pages of log-in sessions."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client

from requests_app.accounts.sessions import open_sessions
from requests_app.models import Role, Team
from tests.browsers import Browser
from tests.builders import make_person

OWN = "/settings/sessions/"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def logged_in(user: User) -> Browser:
    client = Browser(headers=FIREFOX)
    client.force_login(user)
    return client


def test_the_page_names_each_browser_and_marks_this_one(owner: User, team: Team) -> None:
    here, there = logged_in(owner), logged_in(owner)
    page = here.get(OWN).text
    assert page.count('<span class="setting-title"') == 2
    assert page.count("(this session)") == 1 and page.count("End session</button>") == 1
    [other] = [one for one in open_sessions(owner, here.session.session_key) if not one.is_this]
    for words in ("The session is ended.", "That session was over already."):
        reply = here.post(f"{OWN}{other.id}/end/", follow=True)
        assert words in reply.text
    assert there.get(OWN).status_code == 302
    assert here.get(OWN).status_code == 200


def test_the_own_page_needs_a_log_in_but_no_team(db: None) -> None:
    assert Client().get(OWN).status_code == 302
    assert Client().post(f"{OWN}all/end/").status_code == 302
    alone = logged_in(make_person("solo"))
    assert "this session" in alone.get(OWN).text
    assert alone.get(f"{OWN}all/end/").status_code == 405


def test_logging_out_everywhere_ends_this_session_too(owner: User, team: Team) -> None:
    here, there = logged_in(owner), logged_in(owner)
    reply = here.post(f"{OWN}all/end/", follow=True)
    assert "You are logged out everywhere." in reply.text
    assert reply.redirect_chain == [("/accounts/login/", 302)]
    assert (here.get(OWN).status_code, there.get(OWN).status_code) == (302, 302)
    assert open_sessions(owner) == []


def test_owners_see_and_end_the_sessions_of_a_member(owner: User, team: Team) -> None:
    boss, tom = logged_in(owner), make_person("tom", team=team)
    pk = team.memberships.get(user=tom).pk
    address = f"/settings/members/{pk}/sessions/"
    assert address in boss.get("/settings/").text
    assert "No open session." in boss.get(address).text
    toms = [logged_in(tom) for _ in range(3)]
    toms[0].get("/requests/")
    assert boss.get(address).text.count("End session</button>") == 3
    one = open_sessions(tom)[0]
    assert "The session of tom is ended." in boss.post(f"{address}{one.id}/end/", follow=True).text
    assert "was over already" in boss.post(f"{address}{one.id}/end/", follow=True).text
    assert "logged out everywhere" in boss.post(f"{address}all/end/", follow=True).text
    assert [one.get(OWN).status_code for one in toms] == [302] * 3


def test_no_one_else_does(owner: User, team: Team, as_stranger: Client) -> None:
    log_ins = logged_in(owner)
    pk = team.memberships.get(user=owner).pk
    address = f"/settings/members/{pk}/sessions/"
    admin = logged_in(make_person("ada", team=team, role=Role.ADMIN))
    member = logged_in(make_person("tom", team=team))
    for client, status in ((admin, 403), (member, 403), (as_stranger, 404)):
        assert client.get(address).status_code == status
    assert "Only an owner may" in admin.post(f"{address}all/end/", follow=True).text
    assert member.post(f"{address}all/end/").status_code == 403
    assert address not in admin.get("/settings/").text
    assert log_ins.get(OWN).status_code == 200

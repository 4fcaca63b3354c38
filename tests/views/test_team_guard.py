"""A write goes to the team its page was made for, or nowhere: every route, from the table of routes."""

from __future__ import annotations

import json
import re
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.forms.submit import GLIMPSE, new_token
from requests_app.keys import keeping
from requests_app.models import (
    ApiToken,
    Batch,
    BulkAction,
    ErrorGroup,
    Export,
    FalKey,
    FalRequest,
    Invitation,
    Membership,
    Notice,
    NoticeChannel,
    NoticeHours,
    NoticeRule,
    Preset,
    Role,
    SavedView,
    Team,
    TeamEndpoint,
    Use,
)
from requests_app.rules.error_sentence import id_of
from requests_app.teams import invitations
from requests_app.teams.choice import SESSION_KEY
from requests_app.urls import urlpatterns
from tests.builders import make_person, make_queued
from tests.forwarding.scene import pks_of_forwarding

# Writes that concern no team, and why.
TEAMLESS = {
    "switch_team": "it chooses the team",
    "new_team": "it makes another one",
    "times": "how times read is the person's own choice",
    "single_keys": "so is whether single keys act",
    "blur": "and whether media are blurred",
    "end_session": "a log-in is for all teams",
    "join": "it is for people who are not in the team yet",
    "accept_invitation": "the person it was made to is not in the team yet",
    "decline_invitation": "as above",
    "setup": "there is no team yet",
    "report_policy": "browsers send it by themselves, from pages of any team",
    "webhook": "fal has no session; the address has a secret",
}
HX = {"HX-Request": "true"}


class Place:
    """Team B with everything a route can act on, and team A beside it, which has the same person."""

    def __init__(self, client: Client) -> None:
        self.a, self.b = Team.objects.create(name="Alpha"), Team.objects.create(name="Beta")
        self.person = make_person("ann", team=self.b, role=Role.OWNER)
        Membership.objects.create(team=self.a, user=self.person, role=Role.OWNER)
        self.row = make_queued(team=self.b, person=self.person)
        self.client = client
        client.force_login(self.person)
        self.choose(self.a)
        mine = self.b.memberships.get(user=self.person)
        invitations.invite(self.b, Role.VIEWER, by=mine, now=timezone.now())
        ApiToken.issue(self.person, self.b)
        message = Preset.objects.create(
            team=self.b, endpoint_id="acme/live", name="one", text="{}", saved_by=self.person, use=Use.MESSAGE,
        )  # fmt: skip
        self.preset = Preset.objects.create(
            team=self.b, endpoint_id="acme/img", name="two", text="{}"
        )
        TeamEndpoint.objects.create(team=self.b, endpoint_id="acme/img", is_added=True)
        self.batch = Batch.objects.create(
            team=self.b, person=self.person, endpoint_id="acme/img", text="{}", created_at=timezone.now(),
            state="running", total=0,
        )  # fmt: skip
        self.bulk = BulkAction.objects.create(
            team=self.b, person=self.person, token="t", verb="cancel", state="running",
            created_at=timezone.now(), failed=1,
        )  # fmt: skip
        self.group = self.error_group(timezone.now())
        self.export = self.an_export()
        self.view = SavedView.objects.create(
            team=self.b, owner=self.person, name="one", saved_at=timezone.now()
        )
        other = self.b.memberships.get(user=make_person("bob", team=self.b))
        self.keys = {
            "change_role": other.pk, "change_sight": other.pk, "remove_member": other.pk, "member_sessions": other.pk, "end_member_session": other.pk, "make_reset_link": other.pk, "delete_message": message.pk, "message": message.pk,
            "withdraw": Invitation.objects.get().pk, **dict.fromkeys(("revoke_token", "start_faults", "stop_faults"), ApiToken.objects.get().pk),
            **dict.fromkeys(("replace_fal_key", "remove_fal_key", "test_fal_key"), self.fal_key()), **self.notices(), **pks_of_forwarding(self.b), **dict.fromkeys(("delivery_body", "settle_delivery"), 1),
        }  # fmt: skip

    def error_group(self, at: datetime) -> ErrorGroup:
        values = {"team": self.b, "key": 7, "endpoint_id": "acme/img"}
        return ErrorGroup.objects.create(**values, first_seen=at, last_seen=at)

    def an_export(self) -> Export:
        return Export.objects.create(
            team=self.b, person=self.person, token="t", format="csv", created_at=timezone.now()
        )

    def fal_key(self) -> int:
        made = {"name": "main", "pattern": "", "secret": "id:of-beta"}
        return keeping.add(self.b, **made, by=self.person, now=timezone.now()).pk

    def notices(self) -> dict[str, int]:
        now = timezone.now()
        channel = NoticeChannel.objects.create(
            team=self.b, kind="email", name="ops", encrypted="x", shown="x", created_at=now
        )
        rule = NoticeRule.objects.create(team=self.b, channel=channel, event="failed", since=now)
        of_channel = dict.fromkeys(("replace_channel", "remove_channel", "test_channel"), channel.pk)  # fmt: skip
        return of_channel | dict.fromkeys(("change_rule", "switch_rule", "remove_rule"), rule.pk)

    def choose(self, team: Team | None) -> None:
        session = self.client.session
        session.pop(SESSION_KEY, None)
        if team:
            session[SESSION_KEY] = team.pk
        session.save()

    def address(self, name: str) -> str:
        pattern: Any = next(one for one in urlpatterns if one.name == name)
        given = {
            "public_id": self.row.public_id, "pk": self.keys.get(name), "number": 1, "size": 96,
            "preset_id": self.preset.public_id,
            "endpoint_id": "acme/img",
            "batch_id": self.batch.public_id,
            "bulk_id": self.bulk.public_id,
            "group_id": id_of(self.group.key),
            "view_id": self.view.public_id,
            "export_id": self.export.public_id,
            "filename": "faldeck.whl",
            "session_id": "a" * 16,
        }  # fmt: skip
        kwargs = {one: given[one] for one in pattern.pattern.converters}
        return reverse(f"requests:{name}", kwargs=kwargs)

    def post(self, name: str, made_for: object = None, **more: Any) -> Any:
        values = {**TYPED, **({} if made_for is None else {"made_for": str(made_for)})}
        return self.client.post(self.address(name), values, **more)

    def state(self) -> dict[str, Any]:
        kept = (
            FalRequest, Membership, ApiToken, Invitation, Preset, TeamEndpoint, Batch, BulkAction,
            ErrorGroup, Export, SavedView, FalKey, NoticeChannel, NoticeRule, NoticeHours, Notice,
        )  # fmt: skip
        return {
            model.__name__: list(model._default_manager.order_by("pk").values()) for model in kept
        }


TYPED = {
    "token": new_token(), "endpoint_id": "acme/img", "mode": "queue", "input": '{"prompt": "secret <b>"}',
    "favourite": "1", "act": "resolve", "format": "csv", "role": "viewer", "username": "cleo", "days": "30", "scope": "read", "form_key": "f" * 32, "name": "two", "text": '{"a": 1}',
}  # fmt: skip


@pytest.fixture
def place(db: None) -> Place:
    return Place(Client())


GUARDED = [str(one.name) for one in urlpatterns if one.name not in TEAMLESS]
OF_A_REQUEST = [name for name in GUARDED if "public_id" in str(next(one for one in urlpatterns if one.name == name).pattern)]  # fmt: skip
OF_A_TEAM = [name for name in GUARDED if name not in OF_A_REQUEST]
WRITES = ["new", "star", "add_endpoint", "remove_endpoint", "messages", "delete_message", "add_member", "change_role", "change_sight", "remove_member", "invite",
          "withdraw", "make_token", "revoke_token"]  # fmt: skip


SAID_NOTHING = (None, "", "x", "0", "-1", "1" * 40, "\u0661", "1.", "5.5.5", "999999")


@pytest.mark.slow
@pytest.mark.parametrize("name", GUARDED)
def test_a_write_that_names_no_team_of_the_persons_is_refused_everywhere(name, place):
    before = place.state()
    for said in SAID_NOTHING:
        assert place.post(name, said).status_code == 409
    assert place.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_A_TEAM)
def test_a_write_made_for_another_team_than_the_chosen_one_changes_nothing(name, place):
    before = place.state()
    for known in ("", f".{place.b.pk}", ".999999", ".0"):
        reply = place.post(name, f"{place.b.pk}{known}")
        assert reply.status_code == 409
        assert "This form was made for Beta" in reply.text
        assert "You are in <strong>Alpha</strong> now." in reply.text
    assert place.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITES)
def test_the_page_of_the_refusal_sends_it_to_the_pages_team_after_all(name, place):
    before = place.state()
    page = place.post(name, place.b.pk)
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    reply = place.client.post(place.address(name), {key: unescape(value) for key, value in fields})
    assert reply.status_code in (200, 201, 302)
    assert place.state() != before
    assert not FalRequest.objects.filter(team=place.a).exists()
    assert not ApiToken.objects.filter(team=place.a).exists()
    assert place.client.session[SESSION_KEY] == place.a.pk


def test_what_was_typed_is_shown_and_kept_exactly(place):
    reply = place.post("new", place.b.pk)
    assert "{&quot;prompt&quot;: &quot;secret &lt;b&gt;&quot;}" in reply.text
    assert "no-store" in reply["Cache-Control"]
    assert "csrfmiddlewaretoken</dt>" not in reply.text


@pytest.mark.parametrize(
    "large",
    [
        {"input": "<" * 1024 * 1024},
        {"headers": "&" * 1024 * 1024},
        {"role": ["<" * 1500] * 700},
    ],
)
def test_what_is_too_large_for_a_page_stays_in_the_browser(large, place):
    typed = {**TYPED, **large, "made_for": place.b.pk}
    is_left_to_the_browser(place.client.post(place.address("new"), typed), place)


def test_a_name_too_large_for_a_page_stays_in_the_browser(place):
    typed = urlencode({**TYPED, "x" * 900_000: "1", "made_for": place.b.pk})
    as_a_form = "application/x-www-form-urlencoded"
    reply = place.client.post(place.address("new"), typed, content_type=as_a_form)
    is_left_to_the_browser(reply, place)


def is_left_to_the_browser(reply, place):
    assert reply.status_code == 409
    assert len(reply.content) < 500_000
    assert "your browser still has it" in reply.text
    assert "Switch to Beta" in reply.text
    assert "Continue in Beta" not in reply.text
    assert 'name="endpoint_id"' not in reply.text
    assert "<dt>Endpoint</dt>" in reply.text
    assert not FalRequest.objects.exclude(pk=place.row.pk).exists()


def test_a_long_text_is_shown_by_its_beginning_and_sent_on_whole(place):
    typed = '{"a": "' + "x" * 90_000 + '"}'
    page = place.client.post(
        place.address("new"), {**TYPED, "input": typed, "made_for": place.b.pk}
    )
    shown = max(re.findall(r"<pre>(.*?)</pre>", page.text), key=len)
    assert unescape(shown) == typed[:GLIMPSE] + "…"
    assert page.text.count("x" * 80_000) == 1
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    place.client.post(place.address("new"), {key: unescape(value) for key, value in fields})
    assert FalRequest.objects.latest("id").input_text == typed


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_A_REQUEST)
def test_a_write_on_a_request_names_that_requests_team(name, place):
    before = place.state()
    assert place.post(name, place.a.pk).status_code == 409
    assert place.post(name, f"{place.a.pk}.{place.b.pk}").status_code == 409
    assert place.state() == before


@pytest.mark.parametrize("name", ["cancel", "again"])
def test_a_write_on_a_request_needs_no_choice_of_its_team(name, place):
    """Which request it is stands in the address, and the page says whose it is."""
    before = place.state()
    assert place.post(name, place.b.pk).status_code == 302
    assert place.state() != before
    assert not FalRequest.objects.filter(team=place.a).exists()


def test_a_foreign_request_is_as_missing_as_before(place, as_stranger):
    gone = reverse("requests:cancel", args=["00000000-0000-4000-8000-000000000000"])
    foreign = as_stranger.post(place.address("cancel"))
    assert foreign.status_code == 404
    assert foreign.content == as_stranger.post(gone).content


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_A_TEAM)
def test_who_has_left_the_pages_team_writes_nothing_in_either(name, place):
    place.choose(place.b)
    place.b.memberships.filter(user=place.person).delete()
    before = place.state()
    reply = place.post(name, place.b.pk)
    assert reply.status_code == 409
    assert (
        "a team you are not in" in reply.text
        and '<button class="button button-primary">' not in reply.text
    )
    assert "Beta" not in reply.text
    assert place.state() == before


def test_a_choice_that_was_lost_does_not_let_a_form_of_another_team_through(place):
    place.choose(place.b)
    place.b.memberships.filter(user=place.person).delete()
    assert place.post("new", place.a.pk).status_code == 409
    assert not FalRequest.objects.filter(team=place.a).exists()


def test_a_form_that_outlived_its_log_in_goes_to_its_own_team(place):
    place.choose(None)
    assert place.post("new", place.b.pk).status_code == 302
    assert FalRequest.objects.latest("id").team == place.b


def test_a_script_says_it_in_a_header_and_is_told_in_one(place):
    client, address = place.client, place.address("new")
    reply = client.post(address, TYPED, headers={**HX, "X-Made-For": str(place.b.pk)})
    assert reply.status_code == 409
    news = json.loads(reply["X-Team-Now"])
    assert news == {"made_for": "Beta", "chosen": "Alpha", "value": f"{place.b.pk}.{place.a.pk}"}
    assert (
        client.post(address, TYPED, headers={**HX, "X-Made-For": news["value"]}).status_code == 200
    )
    assert FalRequest.objects.latest("id").team == place.b
    plain = client.post(address, TYPED, headers={"Accept": "application/json"})
    assert plain.status_code == 409 and "Nothing was sent" in plain.json()["detail"]


def test_a_name_in_any_script_fits_into_the_header(place):
    Team.objects.filter(pk=place.b.pk).update(name="東京\nレモン 🍋")
    reply = place.post("new", place.b.pk, headers=HX)
    assert json.loads(reply["X-Team-Now"])["made_for"] == "東京\nレモン 🍋"


@pytest.mark.parametrize("path", ["requests:list", "requests:rows", "requests:counts", "requests:changes",
                                  "requests:completions", "requests:sessions", "requests:messages"])  # fmt: skip
def test_a_page_goes_on_reading_for_its_team_and_is_told_of_the_switch(path, place):
    reply = place.client.get(reverse(path), headers={"X-Made-For": str(place.b.pk)})
    assert reply.status_code == 200
    assert json.loads(reply["X-Team-Now"])["chosen"] == "Alpha"
    for told in (place.a.pk, f"{place.b.pk}.{place.a.pk}"):
        assert "X-Team-Now" not in place.client.get(
            reverse(path), headers={"X-Made-For": str(told)}
        )


def test_rows_are_those_of_the_pages_team(place):
    ids = {"ids": str(place.row.public_id)}
    for said, is_there in ((place.b.pk, True), (place.a.pk, False)):
        shown = place.client.get(reverse("requests:rows"), ids, headers={"X-Made-For": str(said)})
        assert (str(place.row.public_id) in shown.text) == is_there


@pytest.mark.parametrize("said", ["foreign", "999999", "x"])
def test_reading_for_a_team_one_is_not_in_shows_no_other_instead(said, place, stranger):
    foreign = Team.objects.of(stranger).get().pk
    query = {"team": foreign if said == "foreign" else said}
    replies = [
        place.client.get(reverse(f"requests:{name}"), query) for name in ("list", "rows", "new")
    ]
    assert [reply.status_code for reply in replies] == [409] * 3
    assert "Choose a team" in replies[0].text


def test_every_form_of_a_template_says_its_team(place: Place) -> None:
    """What the middleware would refuse is found here first."""
    from tests.source import text_of, under

    teamless = re.compile(
        r"switch_team|new_team|requests:times|requests:blur|requests:single_keys|account_|mfa_|_invitation'|join|setup|action=\"{{ request"
    )
    before_a_team = ("/join.html", "/setup.html", "/sign_up_confirm.html")
    for path in under("templates/", suffix=".html"):
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text_of(path), re.DOTALL):
            if not teamless.search(form) and not path.endswith(before_a_team):
                assert "{% made_for" in form, f"{path}: {form[:120]}"


def test_a_user_without_any_team_is_told_so(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("alone"))
    assert client.post(reverse("requests:new"), {"made_for": "1"}).status_code == 409
    assert client.get("/requests/").status_code == 403

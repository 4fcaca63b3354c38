"""The fault lab on the settings page: who may, what confirms it, and what all pages say meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.faults.rules import Faults
from requests_app.forms.fault_lab import KINDS, FaultForm
from requests_app.models import ApiToken, AuditAct, AuditEntry, Team
from tests.browsers import Browser
from tests.builders import make_person

BANNER = "go wrong on purpose"


@pytest.fixture
def token(owner: User, team: Team) -> ApiToken:
    """A token of the owner's."""
    ApiToken.issue(owner, team, name="tests")
    return ApiToken.objects.get()


def start(client: Client, token: ApiToken, **changes: Any) -> Any:
    typed = {
        "kind": "429",
        "n": 5,
        "times": "",
        "minutes": 60,
        "confirm": token.last_four,
    } | changes
    form = {f"faults-{token.pk}-{name}": value for name, value in typed.items()}
    return client.post(reverse("requests:start_faults", args=[token.pk]), form)


def test_it_is_on_for_an_hour_on_all_pages_in_the_trail_and_off_by_itself(
    as_owner: Client, token: ApiToken, team: Team
) -> None:
    assert start(as_owner, token, times=3).status_code == 302
    token.refresh_from_db()
    assert timedelta(minutes=59) < (token.faults_until or timezone.now()) - timezone.now()
    assert {rule["do"] for rule in token.fault_rules} == {"429"}
    for name in ("list", "settings", "overview"):
        assert BANNER in as_owner.get(reverse(f"requests:{name}")).content.decode(), name
    entry = AuditEntry.objects.filter(act=AuditAct.SETTING_CHANGED).get()
    assert "429 of submit" in str(entry.details)
    past = timezone.now() - timedelta(seconds=1)
    ApiToken.objects.update(faults_until=past)
    Team.objects.update(faults_until=past)
    assert BANNER not in as_owner.get(reverse("requests:list")).content.decode()


def test_it_is_stopped_by_hand(as_owner: Client, token: ApiToken, team: Team) -> None:
    start(as_owner, token)
    as_owner.post(reverse("requests:stop_faults", args=[token.pk]))
    team.refresh_from_db()
    assert not team.has_faults
    assert AuditEntry.objects.filter(act=AuditAct.SETTING_CHANGED).count() == 2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"confirm": "nope"}, "not the last four characters"),
        ({"confirm": ""}, "required"),
        ({"minutes": 100_000}, "less than or equal to 480"),
        ({"kind": "meteor"}, "meteor"),
        ({"n": -1}, "greater than or equal to 0"),
        ({"times": "often"}, "whole number"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    wrong: dict[str, Any], sentence: str, as_owner: Client, token: ApiToken
) -> None:
    reply = start(as_owner, token, **({"minutes": 7} | wrong))
    shown = reply.content.decode()
    assert reply.status_code == 422
    assert sentence in shown
    assert f'value="{wrong.get("minutes", 7)}"' in shown
    token.refresh_from_db()
    assert not token.has_faults


def test_members_and_others_cannot(token: ApiToken, team: Team, stranger: User) -> None:
    for person in (make_person("mia", team=team), stranger):
        client = Browser()
        client.force_login(person)
        assert start(client, token).status_code == 404
        assert client.post(reverse("requests:stop_faults", args=[token.pk])).status_code == 404
    token.refresh_from_db()
    assert not token.has_faults


def test_each_kind_is_one_that_the_engine_has(token: ApiToken) -> None:
    for kind in KINDS:
        typed = {"kind": kind, "n": 2, "times": 1, "minutes": 5, "confirm": token.last_four}
        form = FaultForm({f"faults-{token.pk}-{k}": v for k, v in typed.items()}, token=token)
        assert form.is_valid(), form.errors
        Faults().replace(form.rules())

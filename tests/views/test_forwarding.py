"""The pages of forwarding: for owners and admins, with no address ever and a secret once."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.forwarding.keeping import MOST_DESTINATIONS
from requests_app.forwarding.sealed import unseal
from requests_app.models import AuditEntry, ForwardDestination, ForwardMessage, Membership, Team
from tests.browsers import Browser
from tests.forwarding.scene import make_destination, make_forward, make_message

PAGE = "/settings/forwarding/"
TYPED = {
    "destination_name": "crm", "address": "https://crm.example/canary?key=canary", "pattern": "acme/*",
    "deliveries": "on", "failed": "on",
}  # fmt: skip
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{40,}")


def post(client: Client, name: str, *args: int, **typed: Any) -> Any:
    return client.post(reverse(f"requests:{name}", args=args), typed, follow=True)


def secret_in(reply: Any) -> str:
    return next(iter(SECRET.findall(unescape(reply.text))), "")


def test_a_destination_is_added_with_its_secret_shown_once_and_its_address_never(
    as_owner: Client, team: Team
) -> None:
    assert "None yet" in as_owner.get(PAGE).text
    made = post(as_owner, "add_destination", **TYPED)
    assert made.status_code == 201
    one = ForwardDestination.objects.get()
    assert unseal(one) == (TYPED["address"], [secret_in(made)])
    assert [str(event) for event in one.events] == ["fal.delivery", "request.failed"]
    for reply in (made, as_owner.get(PAGE), as_owner.get(f"{PAGE}{one.pk}/")):
        assert "https://crm.example/…" in reply.text and "canary" not in reply.text
    assert not secret_in(as_owner.get(f"{PAGE}{one.pk}/"))
    entry = AuditEntry.objects.latest("pk")
    assert entry.label == "forwarding: crm"
    assert "canary" not in entry.details and "whsec" not in entry.details


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"address": ""}, "Give the address."),
        ({"address": "ftp://x"}, "begins with https://"),
        ({"address": "https://user:canary@x.example/"}, "without a user name"),
        ({"address": "http://crm.example/canary"}, "has to begin with https://"),
        ({"address": "https://10.0.0.1/canary"}, "allow it by FORWARD_HOSTS"),
        ({"address": "https://[::1]:8443/canary"}, "allow it by FORWARD_HOSTS"),
        ({"deliveries": "", "failed": ""}, "Choose at least one kind of message."),
        ({"pattern": "a b"}, "Write an endpoint id"),
        ({"destination_name": "taken"}, "There is a destination “taken” already."),
        ({"destination_name": "x" * 61}, "at most 60 characters"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence_and_what_was_typed_is_kept(
    as_owner: Client, team: Team, changes: dict[str, str], sentence: str
) -> None:
    make_destination(team, name="taken")
    typed = {name: value for name, value in (TYPED | changes).items() if value}
    reply = post(as_owner, "add_destination", **typed)
    assert reply.status_code == 422
    assert sentence in unescape(reply.text)
    assert typed["destination_name"] in reply.text and "canary" not in reply.text
    assert ForwardDestination.objects.count() == 1


def test_a_team_has_only_so_many(as_owner: Client, team: Team) -> None:
    for number in range(MOST_DESTINATIONS):
        make_destination(team, name=str(number))
    assert "at most" in post(as_owner, "add_destination", **TYPED).text


def test_it_is_changed_without_typing_the_address_again(as_owner: Client, team: Team) -> None:
    one = make_destination(team)
    before = unseal(one)
    typed = {"destination_name": "erp", "pattern": "acme/img", "completed": "on"}
    reply = post(as_owner, "change_destination", one.pk, **typed)
    assert "The destination is changed." in reply.text
    one.refresh_from_db()
    assert (one.name, one.events, unseal(one)) == ("erp", ["request.completed"], before)
    post(as_owner, "change_destination", one.pk, **typed, address="https://erp.example/x")
    one.refresh_from_db()
    assert unseal(one) == ("https://erp.example/x", before.secrets)
    bad = post(as_owner, "change_destination", one.pk, **typed, address="nonsense")
    assert bad.status_code == 422 and "begins with https://" in unescape(bad.text)


def test_secret_switch_test_resend_and_removal(as_owner: Client, team: Team) -> None:
    one, message = make_forward(team)
    made = post(as_owner, "rotate_destination", one.pk)
    one.refresh_from_db()
    assert secret_in(made) == unseal(one).secrets[0]
    assert "a signature of both" in " ".join(made.text.split())
    assert "sent again" in post(as_owner, "resend_forward", message.pk).text
    assert "on its way already" in post(as_owner, "resend_forward", message.pk).text
    assert "A test is on its way" in post(as_owner, "test_destination", one.pk).text
    assert "a moment ago" in post(as_owner, "test_destination", one.pk).text
    assert "is off" in post(as_owner, "switch_destination", one.pk, on="0").text
    assert set(ForwardMessage.objects.values_list("state", flat=True)) == {"failed"}
    assert "is off: switch it on" in post(as_owner, "test_destination", one.pk).text
    assert "is on" in post(as_owner, "switch_destination", one.pk, on="1").text
    assert "is removed" in post(as_owner, "remove_destination", one.pk).text
    assert as_owner.get(f"{PAGE}{one.pk}/").status_code == 404
    assert post(as_owner, "resend_forward", message.pk).status_code == 404


def test_messages_are_shown_with_their_attempts_a_page_at_a_time(
    as_owner: Client, team: Team, django_assert_max_num_queries: Any
) -> None:
    one = make_destination(team)
    now = timezone.now()
    for number in range(35):
        message = make_message(one, state="failed", due_at=None, ended_at=now)
        message.attempts.create(
            at=now, took_ms=1234, code=500, answer=f"<b>busy {number}</b>\x1b[0m"
        )
    make_message(one)
    with django_assert_max_num_queries(25):
        page = as_owner.get(f"{PAGE}{one.pk}/")
    assert "&lt;b&gt;busy 34&lt;/b&gt;" in page.text and "1,234" in page.text
    assert "waits since" in page.text and "busy 3&lt;" not in page.text
    older = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert older
    assert "busy 3&lt;" in as_owner.get(f"{PAGE}{one.pk}/{unescape(older[1])}").text
    assert "busy" not in as_owner.get(f"{PAGE}{one.pk}/?state=waiting").text
    assert "No such message" in as_owner.get(f"{PAGE}{one.pk}/?state=sent").text
    for odd in ("?state=nonsense&before=x", "?before=99999999999999999999", "?before=%00"):
        assert as_owner.get(f"{PAGE}{one.pk}/{odd}").status_code == 200


def test_it_is_owners_and_admins_only_who_see_and_change_it(
    as_owner: Client, team: Team, teammate: User
) -> None:
    one, message = make_forward(team)
    client = Browser()
    client.force_login(teammate)
    for path in (PAGE, f"{PAGE}{one.pk}/"):
        assert client.get(path).status_code == 403
    assert post(client, "resend_forward", message.pk).status_code == 403
    assert "Forwarding" not in client.get("/settings/").text
    Membership.objects.filter(user=teammate).update(role="admin")
    assert client.get(PAGE).status_code == 200
    assert "Forwarding" in client.get("/settings/").text

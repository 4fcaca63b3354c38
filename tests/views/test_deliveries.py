"""The page of all webhook deliveries: what it shows to whom, and the button that settles one again."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from requests_app.models import Delivery, FalRequest, Membership, Status
from requests_app.webhooks import deliveries
from requests_app.webhooks.deliveries import receive
from tests.browsers import Browser
from tests.builders import SECRET, make_awaiting, make_person, make_post
from tests.signing import body_of

PAGE = reverse("requests:deliveries")


@pytest.fixture
def stored(team, owner, key_host, signer) -> Delivery:
    """A genuine delivery that came while fal's keys could not be had; now they can."""
    row = make_awaiting(team=team, person=owner)
    key_host.is_down = True
    receive(row.public_id, SECRET, make_post(signer, body_of("r1")))
    key_host.is_down = False
    deliveries.key_cache.cache_clear()
    return row.deliveries.get()


def url(name: str, stored: Delivery) -> str:
    return reverse(f"requests:{name}", args=[stored.request.public_id, stored.pk])


def test_an_empty_page_says_what_would_be_there(as_owner):
    assert "No webhook has come" in as_owner.get(PAGE).text


def test_it_names_verdict_reason_request_and_body(as_owner, as_stranger, stored):
    shown = as_owner.get(PAGE).text
    for words in ("Not verified", "could not be fetched", "acme/img", url("delivery_body", stored)):
        assert words in shown
    assert str(stored.request.public_id) not in as_stranger.get(PAGE).text
    assert "No such delivery" in as_owner.get(PAGE, {"verdict": "accepted"}).text
    for odd in ("?verdict=odd", "?before=x", "?before=" + "9" * 40, "?verdict=%00"):
        assert "Not verified" in as_owner.get(PAGE + odd).text
    assert "No such delivery" in as_owner.get(PAGE, {"before": stored.pk}).text


def test_a_body_is_saved_and_never_shown(as_owner, as_stranger, stored):
    reply = as_owner.get(url("delivery_body", stored))
    assert reply.content == bytes(stored.body)
    assert reply["Content-Disposition"].startswith("attachment")
    assert reply["Content-Type"] == "application/octet-stream"
    assert "sandbox" in reply["Content-Security-Policy"]
    assert as_stranger.get(url("delivery_body", stored)).status_code == 404
    Delivery.objects.update(body=b"")
    assert as_owner.get(url("delivery_body", stored)).status_code == 404


def test_it_is_settled_again_by_members_and_the_outcome_is_said(
    as_owner, as_viewer, as_stranger, stored
):
    again = url("settle_delivery", stored)
    assert as_viewer.post(again).status_code == 403
    assert as_stranger.post(again).status_code == 404
    assert again not in as_viewer.get(PAGE).text
    assert again in as_owner.get(PAGE).text
    reply = as_owner.post(f"{again}?verdict=no_keys", follow=True)
    assert "Settled again: applied." in reply.text
    assert reply.redirect_chain[-1][0] == f"{PAGE}?verdict=no_keys"
    assert FalRequest.objects.get(pk=stored.request_id).status == Status.COMPLETED
    assert "nothing was changed" in as_owner.post(again, follow=True).text
    assert "by olga" in as_owner.get(PAGE).text


def test_a_delivery_of_another_request_is_not_there(as_owner, stored, team, owner):
    other = make_awaiting(team=team, person=owner, fal_request_id="r2")
    for name, call in (("delivery_body", as_owner.get), ("settle_delivery", as_owner.post)):
        address = reverse(f"requests:{name}", args=[other.public_id, stored.pk])
        assert call(address).status_code == 404
        assert call(reverse(f"requests:{name}", args=[other.public_id, 10**18])).status_code == 404


def test_who_may_not_see_payloads_sees_verdicts_alone(team, stored):
    Delivery.objects.update(note="said zqcanary", received_at=timezone.now())
    mira = make_person("mira", team=team)
    Membership.objects.filter(user=mira).update(sees_payloads=False)
    client = Browser()
    client.force_login(mira)
    shown = client.get(PAGE).text
    assert "Not verified" in shown and "zqcanary" not in shown
    assert url("delivery_body", stored) not in shown
    assert client.get(url("delivery_body", stored)).status_code == 403

"""Webhooks by the address they come from: each kind of address, in each mode, at the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app.models import Delivery, FalRequest, SenderRanges, Status
from requests_app.upkeep.metrics import WEBHOOKS
from requests_app.webhooks import deliveries, senders, shelf
from requests_app.webhooks.deliveries import Verdict
from tests.builders import SECRET, make_awaiting
from tests.signing import KeyHost, Signer, body_of

pytestmark = pytest.mark.django_db

SOURCE = "https://api.fal.example"
RANGES = ("192.0.2.7/32", "198.51.100.0/24", "2001:db8:1::/48", "203.0.113.9/32")


@pytest.fixture
def row(key_host: KeyHost, settings: Any, monkeypatch: pytest.MonkeyPatch) -> FalRequest:
    settings.FAL_API_URL = SOURCE
    settings.WEBHOOK_ADDRESS_CHECK = "FAL"
    settings.BEHIND_PROXY = False
    monkeypatch.setattr(senders, "listing", senders.Looked())
    return make_awaiting()


@pytest.fixture
def post(signer: Signer, row: FalRequest) -> Callable[..., Any]:
    """POST a genuine delivery from an address."""

    body = body_of("r1")
    signed = signer.headers("r1", body)

    def call(address: str, path: str = "", **headers: str) -> Any:
        path = path or f"/hooks/fal/{row.public_id}/{SECRET}"
        return Client().post(
            path, body, "application/json", headers=signed | headers, REMOTE_ADDR=address
        )

    return call


def list_ranges(*ranges: str) -> None:
    now = timezone.now()
    SenderRanges.objects.create(source=SOURCE, ranges=list(ranges), read_at=now, tried_at=now)


# Address, and whether it is in RANGES.
ADDRESSES = {
    "192.0.2.7": True,
    "192.0.2.7:51234": True,
    "::ffff:192.0.2.7": True,
    "::ffff:c000:207": True,
    "[::ffff:192.0.2.7]:443": True,
    "192.0.2.8": False,
    "::ffff:192.0.2.8": False,
    "::192.0.2.7": False,  # not a mapped one
    "198.51.100.0": True,
    "198.51.100.255": True,
    "198.51.101.0": False,
    "2001:db8:1::1": True,
    "2001:db8:1:ffff:ffff:ffff:ffff:ffff": True,
    "[2001:db8:1::1]:443": True,
    "2001:db8:2::1": False,
    "127.0.0.1": False,
    "::1": False,
    "10.0.0.1": False,
    "0.0.0.0": False,
    "": False,
    "unix:": False,
    "nonsense": False,
}


@pytest.mark.parametrize(
    ("mode", "address"),
    [("FAL", one) for one in ADDRESSES]
    + [(mode, one) for mode in ("OFF", "FAL-OR-WARN") for one in ("192.0.2.7", "10.0.0.1", "")],
)
def test_each_address_in_each_mode(
    row: FalRequest, post: Callable[..., Any], settings: Any, mode: str, address: str
) -> None:
    settings.WEBHOOK_ADDRESS_CHECK = mode
    list_ranges(*RANGES)
    admitted = mode == "OFF" or ADDRESSES[address]
    answer = post(address)
    row.refresh_from_db()
    stored = row.deliveries.get()
    if admitted:
        assert (answer.status_code, row.status) == (200, Status.COMPLETED)
        assert stored.verdict == Verdict.ACCEPTED
    else:
        assert (answer.status_code, answer.text) == (403, "foreign_address\n")
        assert (row.status, stored.verdict) == (Status.IN_QUEUE, Verdict.FOREIGN_ADDRESS)


@pytest.mark.parametrize(
    ("mode", "statuses"), [("OFF", (200, 200)), ("FAL", (403, 200)), ("FAL-OR-WARN", (200, 200))]
)
def test_before_a_list_was_read(
    post: Callable[..., Any], settings: Any, mode: str, statuses: tuple[int, int]
) -> None:
    settings.WEBHOOK_ADDRESS_CHECK = mode
    settings.WEBHOOK_EXTRA_ADDRESSES = [ip_network("10.1.0.0/16")]
    assert (post("192.0.2.7").status_code, post("10.1.2.3").status_code) == statuses


@pytest.mark.parametrize("own", ["10.1.0.0/16", "::ffff:10.1.0.0/112"])
def test_addresses_of_the_operators_count_beside_fals(
    post: Callable[..., Any], settings: Any, own: str
) -> None:
    settings.WEBHOOK_EXTRA_ADDRESSES = [ip_network(own)]
    list_ranges(*RANGES)
    codes = [post(one).status_code for one in ("10.1.2.3", "192.0.2.7", "10.2.0.1")]
    assert codes == [200, 200, 403]


# The client's address: what a proxy in front added, and nothing that the client sent itself.
@pytest.mark.parametrize(
    ("is_behind", "address", "forwarded", "status"),
    [
        (False, "192.0.2.7", "10.0.0.1", 200),
        (False, "10.0.0.1", "192.0.2.7", 403),
        (True, "127.0.0.1", "192.0.2.7", 200),
        (True, "127.0.0.1", "10.0.0.1", 403),
        (True, "127.0.0.1", "192.0.2.7, 10.0.0.1", 403),
        (True, "127.0.0.1", "10.0.0.1, 192.0.2.7", 200),
        (True, "127.0.0.1", "192.0.2.7, nonsense", 403),
        (True, "127.0.0.1", "", 403),
        (True, "127.0.0.1", None, 403),
        (True, "192.0.2.7", "10.0.0.1", 403),
    ],
)
def test_the_address_is_the_one_that_a_configured_proxy_saw(
    post: Callable[..., Any],
    settings: Any,
    is_behind: bool,
    address: str,
    forwarded: str | None,
    status: int,
) -> None:
    settings.BEHIND_PROXY = is_behind
    list_ranges(*RANGES)
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert post(address, **headers).status_code == status


def test_its_body_is_not_looked_at(
    row: FalRequest, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, key_host: KeyHost
) -> None:
    def body(request: HttpRequest) -> bytes:
        raise AssertionError("the body was read")

    list_ranges(*RANGES)
    monkeypatch.setattr(HttpRequest, "body", property(body))
    assert post("10.0.0.1", **{"Content-Encoding": "br"}).status_code == 403
    stored = row.deliveries.get()
    assert (bytes(stored.body), stored.body_size, key_host.asked) == (b"", 0, 0)
    assert stored.note == "It came from 10.0.0.1."


def test_an_unknown_request_and_a_wrong_secret_are_answered_alike_and_kept_nowhere(
    row: FalRequest, post: Callable[..., Any]
) -> None:
    list_ranges(*RANGES)
    before = counted()
    known = f"/hooks/fal/{row.public_id}/"
    paths = [known + SECRET, known + "wrong", f"/hooks/fal/{uuid4()}/{SECRET}"]
    answers = [post("10.0.0.1", path) for path in paths]
    assert {(one.status_code, one.content) for one in answers} == {(403, b"foreign_address\n")}
    assert Delivery.objects.count() == 1
    assert counted() - before == 3


def counted() -> float:
    return float(WEBHOOKS.labels(Verdict.FOREIGN_ADDRESS)._value.get())


def test_refused_ones_do_not_fill_the_database_and_a_genuine_one_still_counts(
    row: FalRequest, post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MOST_REFUSED", 3)
    list_ranges(*RANGES)
    assert {post("10.0.0.1").status_code for _ in range(5)} == {403}
    assert row.deliveries.count() == 3
    assert post("192.0.2.7").status_code == 200
    row.refresh_from_db()
    assert (row.status, row.deliveries.count()) == (Status.COMPLETED, 4)


def test_the_page_says_why_and_settles_none_again(
    row: FalRequest, post: Callable[..., Any]
) -> None:
    list_ranges(*RANGES)
    post("10.0.0.1")
    [shown], _ = shelf.page(row.team_id, verdict="foreign_address")
    assert (shown.words, shown.has_body) == ("Another address", False)
    assert shown.why_not


def queries(call: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert call().status_code == 200
    return len(seen)


def test_the_check_costs_a_webhook_no_query(
    row: FalRequest, post: Callable[..., Any], settings: Any
) -> None:
    """Off: none. On: one in some seconds, which the first webhook below pays."""
    list_ranges(*RANGES)
    post("192.0.2.7")  # pins the account, fetches fal's keys, knows the ranges
    found = {}
    for mode in ("OFF", "FAL"):
        settings.WEBHOOK_ADDRESS_CHECK = mode
        found[mode] = queries(lambda: post("192.0.2.7"))
    assert found["OFF"] == found["FAL"]
    senders.listing.forget()
    settings.WEBHOOK_ADDRESS_CHECK = "OFF"
    assert queries(lambda: post("192.0.2.7")) == found["OFF"]


def test_many_at_once_wait_for_one_look(monkeypatch: pytest.MonkeyPatch, row: FalRequest) -> None:
    looks, begun, go = [], threading.Event(), threading.Event()

    def stored(source: str) -> senders.KnownSenders:
        looks.append(source)
        begun.set()
        go.wait(30)
        return senders.KnownSenders((ip_network("192.0.2.0/24"),), timezone.now())

    monkeypatch.setattr(senders, "stored", stored)
    found: list[senders.KnownSenders] = []
    threads = [threading.Thread(target=lambda: found.append(senders.listing())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(30)
    go.set()
    for thread in threads:
        thread.join()
    assert (len(found), len(looks)) == (8, 1)

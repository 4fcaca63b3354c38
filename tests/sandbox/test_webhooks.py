"""Webhooks arrive signed, are repeated until heard, and survive a restart."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from urllib.parse import quote

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from requests_app.sandbox import SandboxServer
from tests.sandbox.calls import KEY, ended, submit, wait_for
from tests.sandbox.conftest import FAST


class Receiver(ThreadingHTTPServer):
    """Keeps what arrives and answers with the codes it was given, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.codes: list[int] = []
        self.arrived: list[tuple[str, dict[str, str], bytes, float]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?secret=a%20b&n=1"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        code = self.server.codes.pop(0) if self.server.codes else 200
        self.server.arrived.append((self.path, headers, body, time.monotonic()))
        self.send_response(code)
        if code == 302:
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def announce(http: httpx.Client, receiver: Receiver, endpoint_id="sandbox/echo", **given) -> dict:
    return submit(http, endpoint_id, params={"fal_webhook": receiver.url}, **given)


def arrived(receiver: Receiver, count: int = 1) -> list[tuple[str, dict, bytes, float]]:
    wait_for(lambda: len(receiver.arrived) >= count)
    time.sleep(0.05)
    assert len(receiver.arrived) == count
    return receiver.arrived


def check(http: httpx.Client, headers: dict[str, str], body: bytes) -> None:
    """The documented verification, written down here once more. Raises InvalidSignature."""
    digest = hashlib.sha256(body).hexdigest()
    names = ("request-id", "user-id", "timestamp")
    message = "\n".join([*(headers[f"x-fal-webhook-{name}"] for name in names), digest])
    (key,) = http.get("/rest/.well-known/jwks.json").json()["keys"]
    public = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
    signature = bytes.fromhex(headers["x-fal-webhook-signature"])
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message.encode())


def test_a_finished_request_is_announced_once_and_signed(http, receiver):
    before = int(time.time())
    receipt = announce(http, receiver, message="é")
    ((path, headers, body, _),) = arrived(receiver)
    check(http, headers, body)
    assert path == "/hook?secret=a%20b&n=1"
    assert headers["x-fal-webhook-request-id"] == receipt["request_id"]
    assert before <= int(headers["x-fal-webhook-timestamp"]) <= time.time()
    told = json.loads(body)
    assert told == {
        "request_id": receipt["request_id"],
        "gateway_request_id": receipt["request_id"],
        "status": "OK",
        "payload": {"message": "é", "number": None, "doubled": None},
    }


def test_the_signature_covers_the_body(http, receiver):
    announce(http, receiver)
    ((_, headers, body, _),) = arrived(receiver)
    with pytest.raises(InvalidSignature):
        check(http, headers, body + b" ")


def test_a_failed_request_is_announced_with_the_models_own_error(http, receiver):
    announce(http, receiver, "sandbox/strict", prompt="no")
    ((_, headers, body, _),) = arrived(receiver)
    check(http, headers, body)
    told = json.loads(body)
    assert (told["status"], told["error"]) == ("ERROR", "Invalid status code: 422")
    assert told["payload"]["detail"][0]["loc"] == ["body", "prompt"]


def test_a_retried_request_is_announced_under_another_gateway_id(sandbox, http, receiver):
    sandbox.faults.add(when="runner", do="lose")
    receipt = announce(http, receiver)
    ((_, _, body, _),) = arrived(receiver)
    told = json.loads(body)
    assert told["request_id"] == receipt["request_id"] != told["gateway_request_id"]


def test_a_refused_delivery_is_repeated_with_growing_gaps_until_it_is_heard(http, receiver):
    receiver.codes = [500, 404, 503, 200]
    announce(http, receiver)
    deliveries = arrived(receiver, 4)
    times = [delivery[3] for delivery in deliveries]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    least = [FAST.webhook_scale * 2**number for number in range(3)]
    assert len({delivery[2] for delivery in deliveries}) == 1
    assert all(gap >= one for gap, one in zip(gaps, least, strict=True))
    for _, headers, body, _ in deliveries:
        check(http, headers, body)


def test_a_redirect_is_a_failure_for_good(http, receiver):
    receiver.codes = [302]
    announce(http, receiver)
    arrived(receiver, 1)
    time.sleep(0.15)
    assert len(receiver.arrived) == 1


def test_nobody_at_the_address_does_not_harm_the_request(http):
    receipt = submit(http, "sandbox/echo", params={"fal_webhook": "http://127.0.0.1:1/x"})
    ended(http, receipt)
    assert http.get(receipt["response_url"]).status_code == 200


def test_webhooks_can_be_lost_repeated_and_spoilt(sandbox, http, receiver):
    sandbox.faults.add(when="webhook", do="lose", endpoint="sandbox/large")
    ended(http, announce(http, receiver, "sandbox/large", kilobytes=1))
    sandbox.faults.add(when="webhook", do="repeat")
    announce(http, receiver)
    first, second = arrived(receiver, 2)
    assert first[2] == second[2]


def test_a_bad_signature_an_old_timestamp_and_a_wrong_id_are_sent_when_asked(
    sandbox, http, receiver
):
    for number, do in enumerate(("bad_signature", "old_timestamp", "other_request_id"), 1):
        sandbox.faults.add(when="webhook", do=do)
        announce(http, receiver)
        arrived(receiver, number)
    forged, old, other = receiver.arrived
    with pytest.raises(InvalidSignature):
        check(http, forged[1], forged[2])
    check(http, old[1], old[2])
    assert int(old[1]["x-fal-webhook-timestamp"]) < time.time() - 300
    check(http, other[1], other[2])
    assert other[1]["x-fal-webhook-request-id"] != json.loads(other[2])["request_id"]


def test_a_payload_can_be_withheld_as_fal_does_for_what_is_no_json(sandbox, http, receiver):
    sandbox.faults.add(when="webhook", do="payload_null")
    announce(http, receiver)
    ((_, headers, body, _),) = arrived(receiver)
    check(http, headers, body)
    told = json.loads(body)
    assert (told["status"], told["payload"]) == ("OK", None)
    assert "not JSON serializable" in told["payload_error"]


@pytest.mark.slow
def test_an_undelivered_webhook_is_sent_after_a_restart_with_the_same_key(tmp_path, receiver):
    state = tmp_path / "state.sqlite"
    receiver.codes = [500] * 3
    with SandboxServer(state=state) as server, httpx.Client(headers=KEY) as http:
        keys = http.get(f"{server.url}/rest/.well-known/jwks.json").json()
        hook = quote(receiver.url, safe="")
        http.post(f"{server.url}/queue/sandbox/echo?fal_webhook={hook}", json={})
        wait_for(lambda: receiver.arrived)
    with SandboxServer(state=state) as server, httpx.Client(base_url=server.url) as http:
        before = len(receiver.arrived)
        wait_for(lambda: len(receiver.arrived) > before)
        assert http.get("/rest/.well-known/jwks.json").json() == keys
        _, headers, body, _ = receiver.arrived[-1]
        check(http, headers, body)

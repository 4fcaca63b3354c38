"""Whatever stands in fal's answers: the row ends with its output, the bytes are kept, every page opens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from requests_app.models import ApiToken, FalRequest, Status, Team
from requests_app.webhooks.deliveries import Verdict, receive
from tests.builders import SECRET, fresh, make_awaiting, make_post
from tests.fal.peer import reply, says
from tests.signing import KeyHost, Signer, body_of
from tests.worker.conftest import PeerThread, look

pytestmark = pytest.mark.django_db(transaction=True)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


# JSON as it may stand anywhere in an answer
ODD: dict[str, bytes] = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "over every float": b"1e400",
    "65 bits": b"18446744073709551616",
    "400 digits": b"4" * 400,
    "5,000 digits": b"-" + b"5" * 5000,
    "400 digits and a fraction": b"4" * 400 + b".5",
    "20 levels": nested(20),
    "600 levels": nested(600),
    "5,000 levels": nested(5000),
    "objects of 600 levels": b'{"x":' * 600 + b"1" + b"}" * 600,
    "a NUL": b'"a\\u0000b"',
    "half a pair": b'"\\ud83d"',
    "a name with a NUL": b'{"a\\u0000": 1, "\\udfff": 2}',
    "a text of 1 MB": b'"' + b"x" * 1_000_000 + b'"',
    "a name of 1 MB": b'{"' + b"n" * 1_000_000 + b'": 1}',
    "5,000 entries": b"[" + b",".join([b"1"] * 5000) + b"]",
    "markup": b'"<script>alert(1)</script>"',
    "an empty object": b"{}",
    "true": b"true",
}
DONE = {"status": b'"COMPLETED"'}
OUTPUT = b'{"text": "here"}'


def with_members(**members: bytes) -> bytes:
    return b"{" + b", ".join(b'"%s": %s' % (k.encode(), v) for k, v in members.items()) + b"}"


@pytest.fixture
def token(owner: User, team: Team) -> str:
    return ApiToken.issue(owner, team)


def awaiting(team: Team, person: User, **columns: Any) -> FalRequest:
    """A row of this team whose webhook may come."""
    row = make_awaiting(**columns)
    FalRequest.objects.filter(pk=row.pk).update(team=team, person=person)
    return fresh(row)


def opens_everywhere(browser: Client, token: str, row: FalRequest) -> None:
    """Every page and every reply of the API that shows the row."""
    one = {"public_id": row.public_id}
    addresses = [
        *(
            f"{reverse('requests:detail', kwargs=one)}?tab={tab}"
            for tab in ("logs", "raw", "events")
        ),
        reverse("requests:detail_live", kwargs=one),
        reverse("requests:logs", kwargs=one),
        reverse("requests:frames", kwargs=one),
        reverse("requests:list"),
        f"{reverse('requests:rows')}?ids={row.public_id}",
    ]
    for address in addresses:
        response = browser.get(address)
        assert response.status_code == 200, address
        assert len(response.content) < 2_000_000, address
    program = Client(headers={"Authorization": f"Bearer {token}"})
    for address in (f"/api/v1/requests/{row.public_id}/", "/api/v1/requests/"):
        response = program.get(address)
        assert response.status_code == 200, response.content
        json.loads(response.content, parse_constant=pytest.fail)


@pytest.mark.slow
@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_a_status_with_it_does_not_keep_the_result_away(
    loop: Any, peer: PeerThread, queued: FalRequest, as_owner: Client, token: str, value: bytes
) -> None:
    line = with_members(message=value, level=value, source=value, timestamp=value, labels=value)
    members = {
        "metrics": with_members(inference_time=value, more=b"[%s]" % value),
        "logs": b"[1, %s, %s]" % (value, line),
        "error": value,
        "queue_position": value,
        "more": value,
    }
    peer.will(
        reply(202, with_members(status=b'"IN_PROGRESS"', **members)),
        reply(202, with_members(status=b'"IN_QUEUE"', metrics=value, logs=value)),
        reply(200, with_members(**DONE, **members)),
        reply(200, OUTPUT),
    )
    assert (look(loop, queued).status, fresh(queued).tries) == (Status.IN_PROGRESS, 0)
    assert (look(loop, queued).status, fresh(queued).tries) == (Status.IN_QUEUE, 0)
    opens_everywhere(as_owner, token, queued)
    row = look(loop, queued)
    assert (row.status, bytes(row.output or b"")) == (Status.COMPLETED, OUTPUT)
    opens_everywhere(as_owner, token, row)


@pytest.mark.slow
@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_an_output_with_it_is_kept_byte_for_byte(
    loop: Any, peer: PeerThread, queued: FalRequest, as_owner: Client, token: str, value: bytes
) -> None:
    facts = {"file_size": value, "width": value, "height": value, "content_type": value}
    picture = with_members(url=b'"https://v3.fal.media/files/a.png"', file_name=value, **facts)
    output = with_members(image=picture, text=value, more=b"[%s]" % value)
    peer.will(says(200, {"status": "COMPLETED"}), reply(200, output))
    row = look(loop, queued)
    assert (row.status, bytes(row.output or b"")) == (Status.COMPLETED, output)
    saved = as_owner.get(reverse("requests:output", kwargs={"public_id": row.public_id}))
    assert saved.getvalue() == output
    opens_everywhere(as_owner, token, row)


@pytest.mark.slow
@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_a_models_error_with_it_ends_the_row(
    loop: Any, peer: PeerThread, queued: FalRequest, as_owner: Client, token: str, value: bytes
) -> None:
    entry = with_members(loc=b"[%s]" % value, msg=value, type=value, input=value)
    body = with_members(detail=b"[%s, %s]" % (value, entry), error=value, error_type=value)
    peer.will(says(200, {"status": "COMPLETED"}), reply(422, body, x_fal_request_id="r"))
    row = look(loop, queued)
    assert (row.status, row.error_code) == (Status.FAILED, 422)
    assert bytes(row.output or b"") == body
    opens_everywhere(as_owner, token, row)


@pytest.mark.slow
@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_a_webhook_with_it_ends_the_row(
    key_host: KeyHost, signer: Signer, as_owner: Client, token: str, team: Team, owner: User,
    value: bytes,
) -> None:  # fmt: skip
    row = awaiting(team, owner)
    payload = with_members(text=value)
    body = with_members(
        request_id=b'"r1"', status=b'"OK"', payload=payload, error=value, gateway_request_id=value,
        payload_error=value, more=value,
    )  # fmt: skip
    assert receive(row.public_id, SECRET, make_post(signer, body)) == Verdict.ACCEPTED
    row.refresh_from_db()
    assert (row.status, bytes(row.output)) == (Status.COMPLETED, payload)
    opens_everywhere(as_owner, token, row)


ODD_IDS = [
    "app:req/1?x", "..", "a/../b", "a b", "é", "x" * 129, "x" * 300, "%2e%2e", "a#b", "-a", "a\\b",
    "http://elsewhere/x", "<script>",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("request_id", ODD_IDS)
def test_a_webhook_with_an_odd_id_ends_a_row_that_has_none_yet(
    key_host: KeyHost, signer: Signer, as_owner: Client, token: str, team: Team, owner: User,
    request_id: str,
) -> None:  # fmt: skip
    row = awaiting(team, owner, fal_request_id="", status=Status.UNCERTAIN)
    posted = make_post(signer, body_of(request_id), request_id)
    assert receive(row.public_id, SECRET, posted) == Verdict.ACCEPTED
    assert receive(row.public_id, SECRET, posted) == Verdict.DUPLICATE
    row.refresh_from_db()
    assert (row.status, row.due_at) == (Status.COMPLETED, None)
    opens_everywhere(as_owner, token, row)


@pytest.mark.slow
@pytest.mark.parametrize("request_id", ODD_IDS)
def test_an_odd_id_without_a_payload_is_told_and_leaves_the_row_to_be_found(
    key_host: KeyHost, signer: Signer, as_owner: Client, token: str, team: Team, owner: User,
    request_id: str,
) -> None:  # fmt: skip
    row = awaiting(team, owner, fal_request_id="", status=Status.UNCERTAIN)
    body = body_of(request_id, payload=None)
    assert receive(row.public_id, SECRET, make_post(signer, body, request_id)) == Verdict.ACCEPTED
    row.refresh_from_db()
    assert (row.status, row.fal_request_id) == (Status.UNCERTAIN, "")
    assert "cannot be asked for" in row.observations.latest("id").note
    opens_everywhere(as_owner, token, row)

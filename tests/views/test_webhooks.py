from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.utils import timezone

from requests_app.models import (
    Delivery,
    FalRequest,
    Membership,
    Mode,
    Role,
    Status,
    Team,
    digest,
)
from requests_app.views import webhooks
from tests.signing import KeyHost, Signer, body_of

pytestmark = pytest.mark.django_db

SECRET = "c2VjcmV0LW9mLXRoaXMtcm93"


@pytest.fixture
def row(key_host: KeyHost) -> FalRequest:
    return FalRequest.objects.create(
        team=Team.objects.create(name="A"), person=User.objects.create(username="ann"),
        endpoint_id="acme/img", mode=Mode.QUEUE, input_text="{}", status=Status.IN_QUEUE,
        fal_request_id="r1", created_at=timezone.now(), webhook_digest=digest(SECRET),
    )  # fmt: skip


@pytest.fixture
def deliver(signer: Signer, row: FalRequest) -> Callable[..., Any]:
    """POST a genuine delivery; parts of it can be replaced."""

    def call(body: bytes = body_of("r1"), *, client: Client | None = None, path: str = "",
             signed: dict[str, str] | None = None, **headers: str) -> Any:  # fmt: skip
        signed = signed or signer.headers("r1", body)
        return (client or Client(enforce_csrf_checks=True)).post(
            path or path_of(row), body, "application/json", headers=signed | headers
        )

    return call


def path_of(row: FalRequest, end: str = "") -> str:
    return f"/hooks/fal/{row.public_id}/{SECRET}{end}"


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("secure", [False, True])
def test_it_takes_a_delivery_with_and_without_a_slash_and_never_redirects(
    row: FalRequest, signer: Signer, settings: Any, end: str, secure: bool
) -> None:
    settings.APPEND_SLASH = True
    body = body_of("r1")
    response = Client().post(
        path_of(row, end), body, "application/json", headers=signer.headers("r1", body),
        secure=secure,
    )  # fmt: skip
    assert response.status_code == 200
    row.refresh_from_db()
    assert row.status == Status.COMPLETED


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_post_is_allowed(row: FalRequest, method: str) -> None:
    response = Client().generic(method, path_of(row))
    assert response.status_code == 405
    assert response["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/hooks/fal", "/hooks/fal/", "/hooks/fal/x", "/hooks/fal/x/y/z"])
def test_a_path_that_is_no_hook_is_a_404_and_no_redirect(db: None, path: str) -> None:
    assert Client().post(path, b"{}", "application/json").status_code == 404


def test_a_foreign_host_is_a_400(row: FalRequest, deliver: Callable[..., Any]) -> None:
    response = deliver(client=Client(headers={"host": "evil.example"}))
    assert response.status_code == 400


def test_it_wants_no_csrf_token_and_reads_no_cookie(
    row: FalRequest, deliver: Callable[..., Any]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get())
    sessions = list(Session.objects.values())
    response = deliver(client=client)
    assert response.status_code == 200
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
    assert list(Session.objects.values()) == sessions


def test_a_cookie_does_not_stand_in_for_the_signature(
    row: FalRequest, deliver: Callable[..., Any]
) -> None:
    client = Client()
    client.force_login(User.objects.get())
    assert deliver(client=client, signed={"x-nothing": "1"}).status_code == 401


def test_a_wrong_secret_and_an_unknown_request_answer_with_the_same_bytes(
    row: FalRequest, deliver: Callable[..., Any]
) -> None:
    paths = [
        f"/hooks/fal/{row.public_id}/wrong",
        f"/hooks/fal/{uuid4()}/{SECRET}",
        f"/hooks/fal/{'-' * 36}/{SECRET}",
    ]
    answers = [deliver(path=path) for path in paths]
    for answer in answers:
        del answer["X-Request-Id"]  # new for each question
    assert {answer.status_code for answer in answers} == {404}
    assert len({(answer.content, str(sorted(answer.items()))) for answer in answers}) == 1
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("signed", "status"),
    [
        ({}, 401),
        ({"x-fal-webhook-timestamp": "soon"}, 401),
        ({"x-fal-webhook-signature": "0" * 128}, 401),
        ({"x-fal-webhook-user-id": "someone"}, 401),
    ],
)
def test_a_forgery_is_a_401(
    row: FalRequest, signer: Signer, deliver: Callable[..., Any],
    signed: dict[str, str], status: int,
) -> None:  # fmt: skip
    good = signer.headers("r1", body_of("r1")) if signed else {"x-nothing": "1"}
    assert deliver(signed=good | signed).status_code == status


def test_a_stale_one_is_a_202_and_another_requests_a_409(
    row: FalRequest, signer: Signer, deliver: Callable[..., Any]
) -> None:
    stale = signer.headers("r1", body_of("r1"), timestamp="1700000000")
    assert deliver(signed=stale).status_code == 202
    other = signer.headers("r2", body_of("r2"))
    assert deliver(body_of("r2"), signed=other).status_code == 409


def test_a_duplicate_is_a_200(row: FalRequest, signer: Signer, deliver: Callable[..., Any]) -> None:
    signed = signer.headers("r1", body_of("r1"))
    assert [deliver(signed=signed).status_code for _ in range(2)] == [200, 200]
    assert row.deliveries.count() == 2


def test_a_foreign_account_is_a_401(
    row: FalRequest, deliver: Callable[..., Any], settings: Any
) -> None:
    settings.FAL_USER_ID = "another"
    assert deliver().status_code == 401


def test_without_keys_it_asks_for_another_delivery(
    row: FalRequest, key_host: KeyHost, deliver: Callable[..., Any]
) -> None:
    key_host.is_down = True
    response = deliver()
    assert response.status_code == 503
    assert response["Retry-After"] == "30"


def test_without_a_database_it_asks_for_another_delivery(
    row: FalRequest, deliver: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)
    response = deliver()
    monkeypatch.undo()
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, identity", "gzip, gzip"])
def test_an_encoded_body_is_a_415(
    row: FalRequest, deliver: Callable[..., Any], encoding: str
) -> None:
    assert deliver(**{"content-encoding": encoding}).status_code == 415
    assert not Delivery.objects.exists()


def test_a_gzip_body_is_taken_when_its_raw_bytes_are_signed(
    row: FalRequest, signer: Signer, deliver: Callable[..., Any]
) -> None:
    plain = body_of("r1")
    packed = gzip.compress(plain)
    headers = {"content-encoding": "gzip"}
    assert deliver(packed, signed=signer.headers("r1", plain), **headers).status_code == 401
    assert deliver(packed, **headers).status_code == 200
    row.refresh_from_db()
    assert row.status == Status.COMPLETED
    assert bytes(row.deliveries.get(verdict="accepted").body) == packed


def test_the_page_shows_the_text_of_a_gzip_delivery(
    row: FalRequest, deliver: Callable[..., Any]
) -> None:
    packed = gzip.compress(body_of("r1", payload={"text": "a lighthouse <b>"}))
    assert deliver(packed, **{"content-encoding": "gzip"}).status_code == 200
    Membership.objects.create(team=row.team, user=row.person, role=Role.OWNER)
    client = Client()
    client.force_login(row.person)
    shown = client.get(f"/requests/{row.public_id}/").content.decode()
    deliveries = shown[shown.index('class="delivery') :]
    assert "a lighthouse &lt;b&gt;" in deliveries
    assert "\ufffd" not in deliveries


def test_a_gzip_delivery_that_cannot_be_unpacked_does_not_break_the_page(
    row: FalRequest, deliver: Callable[..., Any]
) -> None:
    deliver(gzip.compress(body_of("r1"))[:-9], **{"content-encoding": "gzip"})
    Membership.objects.create(team=row.team, user=row.person, role=Role.OWNER)
    client = Client()
    client.force_login(row.person)
    assert client.get(f"/requests/{row.public_id}/").status_code == 200


def test_a_gzip_bomb_is_not_unpacked_and_fal_is_asked_instead(
    row: FalRequest, deliver: Callable[..., Any], settings: Any
) -> None:
    settings.BODY_LIMIT_BYTES = 100_000
    bomb = gzip.compress(b" " * 50_000_000)
    assert deliver(bomb, **{"content-encoding": "gzip"}).status_code == 202
    row.refresh_from_db()
    assert row.status == Status.IN_QUEUE


def test_a_declared_length_over_the_limit_is_a_413(
    row: FalRequest, deliver: Callable[..., Any], settings: Any
) -> None:
    settings.BODY_LIMIT_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    assert deliver(body_of("r1", payload="x" * 1000)).status_code == 200
    assert deliver(body_of("r1", payload="x" * 2000)).status_code == 413


def test_a_chunked_body_over_the_limit_is_a_413(row: FalRequest, settings: Any) -> None:
    settings.BODY_LIMIT_BYTES = 2000
    request = RequestFactory().post(path_of(row), b"x" * 2001, "application/json")
    del request.META["CONTENT_LENGTH"]
    request._body = b"x" * 2001  # as the ASGI handler has read it
    response = webhooks.receive(request, str(row.public_id), SECRET)
    assert response.status_code == 413


def test_no_log_line_carries_the_secret(
    row: FalRequest, deliver: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    deliver()
    deliver(signed={"x-nothing": "1"})
    deliver(path=f"/hooks/fal/{uuid4()}/{SECRET}")
    Client().get(path_of(row))
    assert str(row.public_id) in caplog.text
    assert SECRET not in caplog.text


def test_what_is_stored_does_not_hold_the_secret(
    row: FalRequest, deliver: Callable[..., Any]
) -> None:
    deliver()
    deliver(signed={"x-nothing": "1"}, cookie="a=b")
    stored = str(list(FalRequest.objects.values())) + str(list(Delivery.objects.values()))
    assert SECRET not in stored
    assert "a=b" not in stored

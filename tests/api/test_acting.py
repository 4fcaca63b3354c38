"""Run again, give up, the input's text: over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from requests_app.models import FalRequest, Mode, Status
from tests.api.conftest import Caller

ENDED: dict[str, Any] = {"status": Status.COMPLETED, "due_at": None}


def test_run_again_submits_the_exact_input_and_names_its_source(owner: Caller) -> None:
    source = owner.make(input_text='{"scale": 7.50}', options={"priority": "low"}, **ENDED)
    reply = owner.post(f"{source.public_id}/again/")
    assert reply.status_code == 201
    row = FalRequest.objects.latest("pk")
    assert reply.json()["id"] == str(row.public_id) != str(source.public_id)
    assert reply.json()["again_of"] == str(source.public_id)
    assert (row.input_text, row.options, row.status) == (
        '{"scale": 7.50}',
        {"priority": "low"},
        Status.PENDING,
    )


def test_a_key_makes_one_run_and_belongs_to_its_source(owner: Caller) -> None:
    source, other = owner.make(**ENDED), owner.make("acme/two", **ENDED)
    key = {"Idempotency-Key": "once"}
    replies = [owner.post(f"{source.public_id}/again/", **key) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 200]
    assert owner.post(f"{other.public_id}/again/", **key).status_code == 422
    assert owner.post(f"{source.public_id}/again/", **{"Idempotency-Key": " "}).status_code == 422
    assert FalRequest.objects.count() == 3


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"payload_removed_at": timezone.now()}, "input was removed"),
        ({"mode": Mode.REALTIME}, "realtime session"),
    ],
)
def test_what_has_no_input_to_send_is_refused(
    owner: Caller, columns: dict[str, Any], sentence: str
) -> None:
    row = owner.make(**(ENDED | columns))
    reply = owner.post(f"{row.public_id}/again/")
    assert reply.status_code == 409
    assert sentence in reply.json()["detail"]
    assert FalRequest.objects.count() == 1


def test_give_up_ends_what_is_uncertain_alone(owner: Caller) -> None:
    row = owner.make(status=Status.UNCERTAIN)
    first, second = (owner.post(f"{row.public_id}/give_up/").json() for _ in range(2))
    assert (first["done"], first["request"]["status"]) == (True, "failed")
    assert (second["done"], second["request"]["status"]) == (False, "failed")


def test_the_input_comes_as_it_is_sent(owner: Caller) -> None:
    row = owner.make(input_text='{"seed":  9007199254740993}')
    reply = owner.get(f"{row.public_id}/input/")
    assert reply.content == b'{"seed":  9007199254740993}'
    assert reply["X-Content-Type-Options"] == "nosniff"
    FalRequest.objects.update(payload_removed_at=timezone.now(), input_text="")
    assert owner.get(f"{row.public_id}/input/").status_code == 404


def test_viewers_may_read_and_strangers_find_nothing(
    owner: Caller, teammate: Caller, stranger: Caller
) -> None:
    row = owner.make(status=Status.UNCERTAIN)
    assert teammate.get(f"{row.public_id}/input/").status_code == 200
    assert stranger.get(f"{row.public_id}/input/").status_code == 404
    for act in ("again", "give_up"):
        assert teammate.post(f"{row.public_id}/{act}/").status_code == 403
        assert stranger.post(f"{row.public_id}/{act}/").status_code == 404
    assert FalRequest.objects.get().status == Status.UNCERTAIN


def test_a_note_is_kept_in_the_history_whatever_the_status(owner: Caller) -> None:
    row = owner.make(**ENDED)
    reply = owner.post(f"{row.public_id}/notes/", {"text": " too dark \n"})
    assert (reply.status_code, reply.json()["status"]) == (201, "completed")
    shown = owner.get(f"{row.public_id}/").json()["observations"][-1]
    assert (shown["kind"], shown["note"]) == ("note", "olive: too dark")


@pytest.mark.parametrize("text", ["", "  ", "x" * 1001, "a\x00b", 7])
def test_what_is_no_note_is_refused(owner: Caller, teammate: Caller, text: Any) -> None:
    row = owner.make()
    before = row.observations.count()
    assert owner.post(f"{row.public_id}/notes/", {"text": text}).status_code == 422
    assert teammate.post(f"{row.public_id}/notes/", {"text": "x"}).status_code == 403
    assert row.observations.count() == before


def test_an_ended_request_is_read_again_from_fal(owner: Caller) -> None:
    live, row = owner.make(), owner.make(fal_request_id="req-1", **ENDED)
    assert owner.post(f"{live.public_id}/reread/").status_code == 409
    assert owner.post(f"{row.public_id}/reread/").status_code == 202
    row.refresh_from_db()
    assert row.due_at is not None and row.observations.filter(kind="reread").exists()

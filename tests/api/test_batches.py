"""Batches over the API: rows of four kinds, bad rows by place, actions, and the walls between teams."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from requests_app.models import Batch, BatchItem, FalRequest
from tests.api.conftest import Caller
from tests.batches.test_feeding import end_open, turn

BASE = "/api/v1/batches/"
INPUT = {"prompt": "a {{subject}}", "seed": "{{seed}}"}
ROWS = [{"subject": "a cat", "seed": 1}, {"subject": "a dog", "seed": 2}]


def call(caller: Caller, method: str, path: str = "", body: Any = None, **headers: str) -> Any:
    data = body if isinstance(body, str) else json.dumps(body)
    given: dict[str, Any] = (
        {} if method == "get" else {"data": data, "content_type": "application/json"}
    )
    return getattr(Client(), method)(BASE + path, headers=caller.headers | headers, **given)


def body(**more: Any) -> dict[str, Any]:
    return {"endpoint_id": "acme/img", "input": INPUT, "start": True} | more


@pytest.mark.parametrize(
    "rows",
    [
        {"rows": ROWS},
        {"jsonl": "\n".join(map(json.dumps, ROWS))},
        {"csv": "subject,seed\na cat,1\na dog,2\n"},
        {"grid": {"subject": ["a cat", "a dog"], "seed": [1]}},
    ],
)
def test_a_batch_is_made_and_started(owner: Caller, rows: dict[str, Any]) -> None:
    made = call(owner, "post", body=body(name="zoo", concurrency=3, priority="low", **rows))
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["name"], shown["state"], shown["total"]) == ("zoo", "running", 2)
    batch = Batch.objects.get()
    turn(batch)
    first = FalRequest.objects.earliest("id")
    assert json.loads(first.input_text) == {"prompt": "a a cat", "seed": 1}
    assert (first.options, first.person, first.team) == (
        {"priority": "low"},
        owner.user,
        owner.team,
    )
    assert call(owner, "get", f"{shown['id']}/").json()["open"] == 2


def test_a_batch_that_was_not_asked_to_start_sends_nothing(owner: Caller) -> None:
    asked = {"endpoint_id": "acme/img", "input": INPUT, "rows": ROWS}
    assert call(owner, "post", body=asked).json()["state"] == "ready"


def test_a_repeated_call_with_its_key_is_the_same_batch(owner: Caller, stranger: Caller) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = call(owner, "post", body=body(rows=ROWS), **key)
    reordered = dict(reversed(body(rows=ROWS).items()))
    again = call(owner, "post", body=reordered, **key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    other = call(owner, "post", body=body(rows=ROWS[:1]), **key)
    assert (other.status_code, other.json()["detail"][0]["loc"]) == (
        422,
        ["header", "Idempotency-Key"],
    )
    assert call(owner, "post", body=body(rows=ROWS), **{"Idempotency-Key": " "}).status_code == 422
    assert Batch.objects.count() == 1
    assert call(stranger, "post", body=body(rows=ROWS), **key).status_code == 201


def test_of_two_calls_at_once_with_one_key_one_makes_the_batch(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = call(owner, "post", body=body(rows=ROWS), **key).json()
    monkeypatch.setattr("requests_app.api.batches.made_before", lambda *given: None)
    second = call(owner, "post", body=body(rows=ROWS), **key)  # it saw no batch yet
    assert (second.status_code, second.json()["id"]) == (200, first["id"])
    assert (Batch.objects.count(), BatchItem.objects.count()) == (1, len(ROWS))


def test_values_are_sent_and_told_digit_for_digit(owner: Caller) -> None:
    rows = '[ {"subject": "\\u00e9", "seed": 9007199254740993} , {"seed": 1.50,"subject":"x"}]'
    text = json.dumps(body()).removesuffix("}") + f', "rows": {rows}}}'
    id = call(owner, "post", body=text).json()["id"]
    items = call(owner, "get", f"{id}/items/").content.decode()
    assert '"values": {"subject": "\\u00e9", "seed": 9007199254740993}' in items
    turn(Batch.objects.get())
    sent = FalRequest.objects.order_by("id").values_list("input_text", flat=True)
    assert list(sent) == [
        '{"prompt": "a \\u00e9", "seed": 9007199254740993}', '{"prompt": "a x", "seed": 1.50}',
    ]  # fmt: skip


def test_a_preset_gives_endpoint_input_and_options(owner: Caller) -> None:
    preset = {"name": "one", "endpoint_id": "acme/img", "input": INPUT, "mode": "run"}
    made = Client().post(
        "/api/v1/presets/", json.dumps(preset), "application/json", headers=owner.headers
    )
    shown = call(owner, "post", body={"preset": made.json()["id"], "rows": ROWS}).json()
    assert (shown["preset"], shown["preset_version"]) == (made.json()["id"], 1)
    assert (shown["endpoint_id"], shown["mode"]) == ("acme/img", "run")


@pytest.mark.parametrize(
    ("wrong", "place", "sentence"),
    [
        ({"rows": [{"subject": "x"}]}, ["body", "rows"], "no column for the variable seed"),
        ({"rows": []}, ["body", "rows"], "no rows"),
        ({"rows": [1]}, ["body", "rows", 0], "dict"),
        ({"csv": "subject,seed\nx\n"}, ["body", "csv", 0], "It has 1 value"),
        (
            {"jsonl": '{"subject": 1, "seed": 1}\n{'},
            ["body", "jsonl", 1],
            "Row 2 (line 2): Not JSON",
        ),
        ({"grid": {"subject": [], "seed": [1]}}, ["body", "grid"], "no values"),
        ({"grid": {"subject": ["x"], "seed": 1}}, ["body", "grid", "seed"], "list"),
        ({}, ["body", "rows"], "exactly one"),
        ({"rows": ROWS, "csv": "a"}, ["body", "rows"], "exactly one"),
        ({"rows": ROWS, "colour": 1}, ["body", "colour"], ""),
        ({"rows": ROWS, "concurrency": 0}, ["body", "concurrency"], ""),
        ({"rows": ROWS, "concurrency": "5"}, ["body", "concurrency"], ""),
        ({"rows": ROWS, "endpoint_id": "nonsense"}, ["body", "endpoint_id"], ""),
        ({"rows": ROWS, "endpoint_id": None}, ["body", "preset"], "Give a preset"),
        ({"rows": ROWS, "preset": str(uuid4())}, ["body", "preset"], "either"),
        ({"rows": ROWS, "input": {"a": "plain"}}, ["body", "rows"], "has no variables"),
    ],
)
def test_a_wrong_batch_is_refused_by_place_and_stores_nothing(
    owner: Caller, wrong: dict[str, Any], place: list[Any], sentence: str
) -> None:
    reply = call(owner, "post", body=body(**wrong))
    assert reply.status_code == 422, reply.content
    found = {tuple(problem["loc"]): problem["msg"] for problem in reply.json()["detail"]}
    assert sentence in found[tuple(place)]
    assert not Batch.objects.exists()


def test_all_bad_rows_are_counted_and_twenty_are_named(owner: Caller) -> None:
    csv = "subject,seed\n" + "x\n" * 30
    problems = call(owner, "post", body=body(csv=csv)).json()["detail"]
    assert len(problems) == 21
    assert problems[-1]["msg"] == "10 more rows have a problem."


def test_a_batch_is_stored_started_paused_resumed_and_cancelled(owner: Caller) -> None:
    id = call(owner, "post", body=body(rows=ROWS, start=False)).json()["id"]
    states = []
    for act in ("pause", "start", "start", "pause", "resume", "cancel", "resume"):
        shown = call(owner, "post", f"{id}/{act}/").json()
        states.append((shown["done"], shown["batch"]["state"]))
    assert states == [
        (False, "ready"), (True, "running"), (False, "running"), (True, "paused"), (True, "running"),
        (True, "cancelling"), (False, "cancelling"),
    ]  # fmt: skip
    assert call(owner, "delete", f"{id}/").status_code == 409


def test_an_unstarted_batch_is_discarded(owner: Caller) -> None:
    id = call(owner, "post", body=body(rows=ROWS, start=False)).json()["id"]
    assert call(owner, "delete", f"{id}/").status_code == 204
    assert call(owner, "get", f"{id}/").status_code == 404


def test_failed_rows_are_found_and_retried(owner: Caller) -> None:
    id = call(owner, "post", body=body(rows=ROWS)).json()["id"]
    batch = Batch.objects.get()
    turn(batch)
    end_open(batch, error="boom")
    turn(batch)
    [first, _] = call(owner, "get", f"{id}/items/?state=failed").json()["items"]
    assert (first["row"], first["status"], first["error"] != "") == (1, "failed", True)
    assert call(owner, "get", f"{id}/items/?state=completed").json()["items"] == []
    shown = call(owner, "post", f"{id}/retry/").json()
    assert (shown["done"], shown["batch"]["waiting"], shown["batch"]["failed"]) == (True, 2, 0)


def test_pages_of_batches_and_rows_follow_one_another(owner: Caller) -> None:
    ids = [call(owner, "post", body=body(rows=ROWS)).json()["id"] for _ in range(3)]
    first = call(owner, "get", "?limit=2").json()
    assert [one["id"] for one in first["items"]] == ids[:0:-1]
    second = call(owner, "get", f"?limit=2&cursor={first['next_cursor']}").json()
    assert ([one["id"] for one in second["items"]], second["next_cursor"]) == (ids[:1], None)
    page = call(owner, "get", f"{ids[0]}/items/?limit=1").json()
    assert ([one["row"] for one in page["items"]], page["next_after"]) == ([1], 1)
    assert call(owner, "get", f"?cursor={uuid4()}").status_code == 422


PATHS = [
    ("get", ""), ("get", "items/"), ("get", "results/"), ("delete", ""), ("post", "start/"),
    ("post", "pause/"), ("post", "resume/"), ("post", "cancel/"), ("post", "retry/"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_foreign_batch_is_as_missing_as_one_that_never_was(
    owner: Caller, stranger: Caller, method: str, path: str
) -> None:
    id = call(owner, "post", body=body(rows=ROWS)).json()["id"]
    before = list(Batch.objects.values())
    replies = [call(stranger, method, f"{one}/{path}") for one in (id, uuid4(), "x")]
    assert [reply.status_code for reply in replies] == [404, 404, 404]
    assert replies[0].content == replies[1].content == replies[2].content
    assert list(Batch.objects.values()) == before
    assert call(stranger, "get").json()["items"] == []
    assert call(stranger, "get", f"?cursor={id}").status_code == 422


@pytest.mark.parametrize(("method", "path"), PATHS[3:])
def test_viewers_change_nothing(owner: Caller, teammate: Caller, method: str, path: str) -> None:
    id = call(owner, "post", body=body(rows=ROWS)).json()["id"]
    before = list(Batch.objects.values())
    assert call(teammate, method, f"{id}/{path}").status_code == 403
    assert call(teammate, "post", body=body(rows=ROWS)).status_code == 403
    assert list(Batch.objects.values()) == before
    assert call(teammate, "get", f"{id}/items/").status_code == 200


def test_a_foreign_preset_makes_no_batch(owner: Caller, stranger: Caller) -> None:
    preset = {"name": "one", "endpoint_id": "acme/img", "input": INPUT}
    made = Client().post(
        "/api/v1/presets/", json.dumps(preset), "application/json", headers=owner.headers
    )
    reply = call(stranger, "post", body={"preset": made.json()["id"], "rows": ROWS})
    assert reply.json()["detail"][0]["msg"] == "There is no such preset."

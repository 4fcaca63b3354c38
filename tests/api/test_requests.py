from __future__ import annotations

from dataclasses import replace
from threading import Thread

import pytest
from django.db import OperationalError, connection
from django.test import Client

from requests_app import lifecycle
from requests_app.fal.options import OPTIONS
from requests_app.models import FalRequest, Observation, Source, Status
from tests.api.conftest import Caller
from tests.builders import hear, make_queued, make_result

BODY = {"endpoint_id": "acme/one", "input": {"prompt": "a lighthouse"}}


def test_a_submit_records_the_row_for_the_tokens_person_and_team(owner: Caller) -> None:
    made = owner.post(
        body=BODY
        | {
            "mode": "stream",
            "headers": {"x-trace": "7"},
            "priority": "low",
            "start_timeout": 30,
            "no_retry": True,
            "store_io": False,
            "runner_hint": "warm",
        }
    )
    assert made.status_code == 201
    shown = made.json()
    row = FalRequest.objects.get()
    assert shown["id"] == str(row.public_id)
    assert (shown["team"], shown["person"], shown["status"]) == ("Lighthouse", "olive", "pending")
    assert (shown["mode"], shown["headers"]) == ("stream", {"x-trace": "7"})
    assert (
        row.options
        == shown["options"]
        == {
            "headers": {"x-trace": "7"},
            "priority": "low",
            "start_timeout": 30.0,
            "no_retry": True,
            "store_io": False,
            "runner_hint": "warm",
        }
    )
    assert row.seq == shown["seq"] == Observation.objects.get().pk
    assert made["Cache-Control"] == "private, no-store"


INPUTS = [
    '{"a": 7.50, "b": 1E2}', '{"seed":9007199254740993}', '{"x": [0.1000000000000000055, -0.0]}',
    '{"\\u00e9": "\\/ \\ud83d\\ude00"}', "{}",
]  # fmt: skip


@pytest.mark.parametrize("given", INPUTS)
def test_an_input_goes_out_and_comes_back_letter_for_letter(owner: Caller, given: str) -> None:
    answer = owner.post(body=f'{{"endpoint_id": "acme/img", "input": {given} , "mode": "run"}}')
    assert answer.status_code == 201, answer.content
    row = FalRequest.objects.get()
    assert row.input_text == given
    assert f'"input": {given}' in owner.get(f"{row.public_id}/").content.decode()


def test_an_output_comes_back_digit_for_digit(owner: Caller) -> None:
    sent = '{"a": 7.50, "seed": 9007199254740993, "big": 1E2}'
    row = owner.make(
        output=sent.encode(), output_size=len(sent), output_type="application/json",
        status="completed",
    )  # fmt: skip
    assert f'"output": {sent}' in owner.get(f"{row.public_id}/").content.decode()


def test_only_the_endpoint_and_the_input_are_needed(owner: Caller) -> None:
    owner.post(body=BODY)
    row = FalRequest.objects.get()
    assert (row.mode, row.options, row.input_text) == ("queue", {}, '{"prompt": "a lighthouse"}')


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endpoint_id": "no-slash"}, "endpoint_id"),
        ({"endpoint_id": 7}, "endpoint_id"),
        ({"endpoint_id": "acme/one\u2028"}, "endpoint_id"),
        ({"endpoint_id": "acme/x/requests/abc/cancel"}, "endpoint_id"),
        ({"mode": "later"}, "mode"),
        ({"priority": "urgent"}, "priority"),
        ({"start_timeout": 0}, "start_timeout"),
        ({"start_timeout": "30"}, "start_timeout"),
        ({"start_timeout": True}, "start_timeout"),
        ({"no_retry": 1}, "no_retry"),
        ({"runner_hint": "a\r\nX-Evil: 1"}, "runner_hint"),
        ({"headers": {"Authorization": "x"}}, "headers"),
        ({"headers": {"x-a": 1}}, "headers"),
        ({"headers": []}, "headers"),
        ({"max_queue_length": -1}, "max_queue_length"),
        ({"max_queue_length": 5, "mode": "run"}, "max_queue_length"),
        ({"tags": {"Team": "a"}}, "tags"),
        ({"retry_config": "{"}, "retry_config"),
        ({"headers": {"x-fal-webhook": "https://evil"}}, "headers"),
        ({"fal_webhook": "https://evil"}, "fal_webhook"),
        ({"team": "Elsewhere"}, "team"),
        ({"status": "completed"}, "status"),
        ({"person": "sam"}, "person"),
    ],
)
def test_bad_fields_are_named_and_nothing_is_stored(
    owner: Caller, change: dict[str, object], field: str
) -> None:
    refused = owner.post(body=BODY | change)
    assert refused.status_code == 422
    [problem] = refused.json()["detail"]
    assert problem["loc"][:2] == ["body", field]
    assert not FalRequest.objects.exists()


PLATFORM = [
    ({"x-fal-no-retry": "1"}, {"no_retry": True}),
    ({"X-FAL-QUEUE-PRIORITY": "low"}, {"priority": "low"}),
    ({"X-Fal-Request-Timeout": "30"}, {"start_timeout": 30.0}),
    ({"x-fal-store-io": "0", "x-own": "7"}, {"store_io": False, "headers": {"x-own": "7"}}),
    ({"X-App-Fal-Disable-Fallback": "1"}, {"disable_fallback": True}),
    ({"x-fal-tags": "a=b"}, {"tags": "a=b"}),
]


@pytest.mark.parametrize("mode", ["queue", "run", "stream"])
@pytest.mark.parametrize(("headers", "options"), PLATFORM)
def test_fals_headers_as_it_documents_them_become_options_in_every_mode(
    owner: Caller, headers: dict[str, str], options: dict[str, object], mode: str
) -> None:
    made = owner.post(body=BODY | {"headers": headers, "mode": mode})
    assert made.status_code == 201
    assert made.json()["options"] == FalRequest.objects.get().options == options


def test_an_object_may_be_given_as_one_and_is_stored_as_the_text_that_is_sent(
    owner: Caller,
) -> None:
    given = {
        "object_lifecycle_preference": {"expiration_duration_seconds": 60},
        "tags": {"project": "demo"},
        "max_queue_length": 5,
    }
    assert owner.post(body=BODY | given).json()["options"] == {
        "object_lifecycle_preference": '{"expiration_duration_seconds":60}',
        "tags": "project=demo",
        "max_queue_length": 5,
    }


def test_a_header_that_contradicts_its_option_is_refused_and_both_are_named(owner: Caller) -> None:
    refused = owner.post(body=BODY | {"no_retry": False, "headers": {"x-fal-no-retry": "1"}})
    [problem] = refused.json()["detail"]
    assert (refused.status_code, problem["loc"]) == (422, ["body", "headers"])
    assert "x-fal-no-retry" in problem["msg"]
    assert "option no_retry" in problem["msg"]


def test_every_option_is_described(owner: Caller) -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    fields = schema["components"]["schemas"]["NewRequest"]["properties"]
    for option in OPTIONS:
        assert option.label in fields[option.name]["description"]
        assert "null" in {kind.get("type") for kind in fields[option.name]["anyOf"]}


def test_every_error_is_told_at_once(owner: Caller) -> None:
    refused = owner.post(body={"endpoint_id": "x", "input": {}, "runner_hint": "\n"})
    assert {problem["loc"][1] for problem in refused.json()["detail"]} == {
        "endpoint_id",
        "runner_hint",
    }


def test_the_same_key_and_body_mean_the_same_row(owner: Caller) -> None:
    first = owner.post(body=BODY, **{"Idempotency-Key": "k-1"})
    reordered = '{"input": {"prompt": "a lighthouse"},   "endpoint_id": "acme/one"}'
    again = owner.post(body=reordered, **{"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert FalRequest.objects.count() == 1


def test_a_key_with_another_body_is_refused(owner: Caller) -> None:
    owner.post(body=BODY, **{"Idempotency-Key": "k-1"})
    refused = owner.post(body=BODY | {"priority": "low"}, **{"Idempotency-Key": "k-1"})
    assert refused.status_code == 422
    [problem] = refused.json()["detail"]
    assert problem["loc"] == ["header", "Idempotency-Key"]
    assert FalRequest.objects.count() == 1


def test_keys_belong_to_a_team(owner: Caller, stranger: Caller) -> None:
    first = owner.post(body=BODY, **{"Idempotency-Key": "k-1"})
    other = stranger.post(body=BODY, **{"Idempotency-Key": "k-1"})
    assert other.status_code == 201
    assert first.json()["id"] != other.json()["id"]


@pytest.mark.parametrize("key", ["", "k" * 256, "a\x7fb", "é"])
def test_an_unusable_key_is_refused(owner: Caller, key: str) -> None:
    refused = owner.post(body=BODY, **{"Idempotency-Key": key})
    assert refused.status_code == 422
    assert not FalRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_key_from_eight_callers_at_once_submits_once(owner: Caller) -> None:
    answers: list[tuple[int, str]] = []

    def call() -> None:
        made = owner.post(body=BODY, **{"Idempotency-Key": "k-1"})
        answers.append((made.status_code, made.json()["id"]))
        connection.close()

    threads = [Thread(target=call) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({id for _, id in answers}) == FalRequest.objects.count() == 1


def test_a_repeat_names_what_it_repeats(owner: Caller) -> None:
    first = owner.make()
    second = owner.make(again_of=first)
    assert owner.get(f"{second.public_id}/").json()["again_of"] == str(first.public_id)
    assert owner.get(f"{first.public_id}/").json()["again_of"] is None


def test_the_source_and_the_seed_are_told(owner: Caller) -> None:
    made = owner.post("", {"endpoint_id": "acme/img", "input": {"seed": 42}}).json()
    assert (made["origin"], made["seed"]) == ("api", "42")
    row = make_queued(team=owner.team, person=owner.user, input={"seed": 42})
    hear(row, make_result(output={"seed": 18446744073709551615}))
    told = owner.get(f"{row.public_id}/").json()
    assert (told["origin"], told["seed"]) == ("page", "18446744073709551615")
    again = owner.post(f"{row.public_id}/again/", {}).json()
    assert (again["origin"], again["seed"]) == ("again", "42")


def test_cancelling_what_was_never_sent_ends_it(owner: Caller) -> None:
    row = owner.make()
    answer = owner.post(f"{row.public_id}/cancel/").json()
    assert (answer["answer"], answer["request"]["status"]) == ("cancelled", "cancelled")
    again = owner.post(f"{row.public_id}/cancel/").json()
    assert (again["answer"], again["request"]["status"]) == ("ended", "cancelled")


def test_cancelling_at_fal_is_a_wish_until_fal_speaks(owner: Caller) -> None:
    row = owner.make(status=Status.IN_PROGRESS)
    answer = owner.post(f"{row.public_id}/cancel/").json()
    assert (answer["answer"], answer["request"]["status"]) == ("asked", "in_progress")
    assert answer["request"]["cancel_asked_at"]


def test_a_database_that_is_away_is_503_and_can_be_tried_again(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **options: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(lifecycle, "create", away)
    refused = owner.post(body=BODY)
    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert "locked" not in refused.json()["detail"]


def test_sources_are_words_of_the_model(owner: Caller) -> None:
    row = owner.make()
    [observation] = owner.get(f"{row.public_id}/").json()["observations"]
    assert observation["source"] == Source.PERSON


@pytest.mark.parametrize("code", [200, 422])
def test_the_billable_units_of_a_result_are_kept_and_told(owner: Caller, code: int) -> None:
    row = make_queued(team=owner.team, person=owner.user)
    told = make_result(code=code, error="wrong" if code != 200 else None)
    hear(row, replace(told, headers={"x-fal-billable-units": "1.50"}))
    assert owner.get(f"{row.public_id}/").json()["billable_units"] == "1.50"


def test_a_result_without_billable_units_has_none(owner: Caller) -> None:
    row = make_queued(team=owner.team, person=owner.user)
    hear(row, make_result())
    told = owner.get(f"{row.public_id}/").json()
    assert (told["billable_units"], told["cost"], told["cost_state"]) == ("", None, "unknown")


def test_the_cost_is_told_in_digits(owner: Caller) -> None:
    row = make_queued(team=owner.team, person=owner.user)
    FalRequest.objects.filter(pk=row.pk).update(cost="100.5", cost_currency="USD")
    told = owner.get("?q=cost:>100&sort=costliest").json()["items"]
    assert [(one["cost"], one["cost_currency"], one["cost_state"]) for one in told] == [
        ("100.5", "USD", "known")
    ]

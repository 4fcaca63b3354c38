"""The platform's list of finished requests."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import httpx
import pytest

from requests_app.fal.meta import read_ranges
from tests.sandbox.calls import STRANGER, ended, submit

LIST = "/api/v1/models/requests/by-endpoint"


def listed(http: httpx.Client, endpoint_id: str = "sandbox/echo", **params: object) -> dict:
    reply = http.get(LIST, params={"endpoint_id": endpoint_id, **params})
    assert reply.status_code == 200, reply.text
    return reply.json()


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@pytest.fixture
def start() -> str:
    """For a test's own requests alone."""
    return stamp(time.time())


def test_an_ended_request_is_listed_with_what_went_in_and_out(http, start):
    receipt = submit(http, "sandbox/echo", message="héllo", number=1.0)
    ended(http, receipt)
    [item] = listed(http, start=start, expand="payloads")["items"]
    assert (item["request_id"], item["endpoint_id"]) == (receipt["request_id"], "sandbox/echo")
    assert item["json_input"] == {"message": "héllo", "number": 1.0}
    assert item["json_output"]["doubled"] == 2.0
    assert item["status_code"] == 200
    assert start < item["sent_at"] <= item["started_at"] <= item["ended_at"]
    assert item["duration"] >= 0


def test_payloads_are_not_shown_unasked(http, start):
    ended(http, submit(http, "sandbox/echo", message="a"))
    [item] = listed(http, start=start)["items"]
    assert not {"json_input", "json_output"} & item.keys()


def test_what_waits_or_runs_is_not_listed(http, start):
    receipt = submit(http, "sandbox/patient", seconds=30)
    assert listed(http, "sandbox/patient", start=start)["items"] == []
    http.put(receipt["cancel_url"])
    ended(http, receipt)
    [item] = listed(http, "sandbox/patient", start=start)["items"]
    assert item["status_code"] == 499


def test_each_user_sees_their_own_and_nobody_else_any(http, start):
    ended(http, submit(http, "sandbox/echo", message="a"))
    params = {"endpoint_id": "sandbox/echo", "start": start}
    assert http.get(LIST, params=params, headers=STRANGER).json()["items"] == []
    refused = http.get(LIST, params=params, headers={"Authorization": "Key no:body"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authorization_error")


def test_an_endpoint_is_meant_with_its_path(http, start):
    ended(http, submit(http, "sandbox/echo", message="a"))
    assert listed(http, "sandbox/echo/other", start=start)["items"] == []


def test_a_walk_by_cursor_meets_each_request_once_newest_first(http, start):
    ids = []
    for number in range(5):
        receipt = submit(http, "sandbox/echo", message=str(number))
        ended(http, receipt)
        ids.append(receipt["request_id"])
    seen, params = [], {"start": start, "limit": 2}
    while True:
        page = listed(http, **params)
        seen += [item["request_id"] for item in page["items"]]
        if not page["has_more"]:
            break
        params["cursor"] = page["next_cursor"]
    assert page["next_cursor"] is None
    assert seen == ids[::-1]


def test_the_window_the_outcome_and_the_id_narrow_it(http, start):
    good = submit(http, "sandbox/echo", message="a")
    bad = submit(http, "sandbox/echo", delay_s="soon")
    for receipt in (good, bad):
        ended(http, receipt)

    def ids(**params: str) -> set[str]:
        return {item["request_id"] for item in listed(http, start=start, **params)["items"]}

    assert ids() == {good["request_id"], bad["request_id"]}
    assert ids(status="success") == {good["request_id"]}
    assert ids(status="user_error") == {bad["request_id"]}
    assert ids(request_id=bad["request_id"]) == {bad["request_id"]}
    assert ids(end=start) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint_id": "short"},
        {"limit": "101"},
        {"limit": "0"},
        {"start": "yesterday"},
        {"sort_by": "name"},
        {"status": "good"},
        {"cursor": "{"},
        {"cursor": "7"},
    ],
)
def test_a_wrong_parameter_is_named(http, wrong):
    reply = http.get(LIST, params={"endpoint_id": "sandbox/echo", **wrong})
    assert (reply.status_code, reply.json()["error"]["type"]) == (422, "validation_error")
    assert reply.json()["error"]["message"].startswith(next(iter(wrong)))


def test_it_misbehaves_on_demand(http, sandbox):
    sandbox.faults.add(when="list", do="403")
    assert http.get(LIST, params={"endpoint_id": "sandbox/echo"}).status_code == 403
    assert listed(http)["has_more"] in (True, False)


def test_it_lists_where_webhooks_come_from_to_all_who_ask(http):
    reply = httpx.get(http.base_url.join("/api/v1/meta"))
    assert reply.json() == {"webhook_ip_ranges": ["127.0.0.1/32", "::1/128"]}
    assert read_ranges(reply.content)

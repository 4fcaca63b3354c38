"""Submit, order, cancel, time-outs, retries and retention, as a caller sees them."""

from __future__ import annotations

import time

import httpx
import pytest

from requests_app.sandbox import SandboxServer, Tuning
from tests.sandbox.calls import KEY, STRANGER, ended, held, status, submit, until, wait_for


def client_of(server: SandboxServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers=KEY, timeout=30)


def cancel(http: httpx.Client, receipt: dict) -> tuple[int, dict]:
    reply = http.put(receipt["cancel_url"])
    return reply.status_code, reply.json()


@pytest.fixture
def busy(http: httpx.Client):
    """A request that occupies the only runner of sandbox/patient, until the test is over."""
    receipt = submit(http, "sandbox/patient", seconds=600)
    until(http, receipt, "IN_PROGRESS")
    yield receipt
    http.put(receipt["cancel_url"])
    ended(http, receipt)


def test_submit_answers_with_urls_that_point_to_this_server(sandbox, http):
    receipt = submit(http, "sandbox/echo", message="hi")
    root = f"{sandbox.url}/queue/sandbox/echo/requests/{receipt['request_id']}"
    assert receipt["response_url"] == root
    assert receipt["status_url"] == f"{root}/status"
    assert receipt["cancel_url"] == f"{root}/cancel"
    assert receipt["gateway_request_id"] == receipt["request_id"]
    assert receipt["status"] == "IN_QUEUE"


def test_the_result_is_the_plain_output_under_both_addresses(http):
    receipt = submit(http, "sandbox/echo", message="hi", number=2)
    ended(http, receipt)
    plain = http.get(receipt["response_url"])
    alias = http.get(receipt["response_url"] + "/response")
    assert plain.json() == alias.json() == {"message": "hi", "number": 2.0, "doubled": 4.0}
    assert plain.headers["x-fal-request-id"] == receipt["request_id"]


def test_addresses_with_the_full_id_and_a_trailing_slash_work_too(http):
    prompt = {"prompt": "a cat", "image_url": "http://localhost/none.png"}
    receipt = submit(http, "fal-ai/fast-sdxl/image-to-image", **prompt)
    done = ended(http, receipt)
    full = f"/queue/fal-ai/fast-sdxl/image-to-image/requests/{receipt['request_id']}"
    assert http.get(f"{full}/status/?logs=true").json() == done
    assert http.get(f"{full}/").status_code == 200


def test_status_is_202_while_open_and_200_when_completed(http, busy):
    waiting = submit(http, "sandbox/patient", seconds=0)
    assert http.get(busy["status_url"]).status_code == 202
    assert http.get(waiting["status_url"]).status_code == 202
    http.put(busy["cancel_url"])
    ended(http, waiting)
    assert http.get(waiting["status_url"]).status_code == 200


def test_a_result_asked_for_too_early_is_400(http, busy):
    reply = http.get(busy["response_url"])
    assert (reply.status_code, reply.json()) == (400, {"detail": "Request is still in progress"})


def test_positions_count_the_requests_ahead_and_shrink(http, busy):
    first, second, third = (submit(http, "sandbox/patient", seconds=0) for _ in range(3))
    assert [r["queue_position"] for r in (first, second, third)] == [0, 1, 2]
    http.put(first["cancel_url"])
    assert status(http, third)["queue_position"] == 1


def test_low_priority_waits_behind_normal_requests_that_came_later(http, busy):
    low = submit(http, "sandbox/patient", headers={"X-Fal-Queue-Priority": "low"}, seconds=0)
    odd = submit(http, "sandbox/patient", headers={"X-Fal-Queue-Priority": "urgent"}, seconds=0)
    normal = submit(http, "sandbox/patient", seconds=0)
    positions = [status(http, r)["queue_position"] for r in (odd, normal, low)]
    assert positions == [0, 1, 2]


def test_no_more_run_at_once_than_the_capacity(sandbox, http):
    sandbox.faults.add(**held("sandbox/slow"))
    receipts = [submit(http, "sandbox/slow", steps=1, seconds_per_step=0) for _ in range(4)]
    for receipt in receipts[:2]:
        until(http, receipt, "IN_PROGRESS")
    assert [status(http, receipt)["status"] for receipt in receipts[2:]] == ["IN_QUEUE"] * 2
    sandbox.faults.clear()
    for receipt in receipts:
        ended(http, receipt)


def test_a_full_queue_is_refused_only_when_the_caller_set_a_limit(http, busy):
    for _ in range(2):
        submit(http, "sandbox/patient", seconds=0)
    path, given = "/queue/sandbox/patient?fal_max_queue_length=", {"seconds": 0}
    assert http.post(f"{path}1", json=given).status_code == 429
    assert http.post(f"{path}2", json=given).status_code == 200


@pytest.mark.parametrize("header", ["X-Fal-Request-Start-Timeout", "X-Fal-Request-Timeout"])
def test_a_request_that_does_not_start_in_time_ends_with_504(http, busy, header):
    receipt = submit(http, "sandbox/patient", headers={header: "0.15"}, seconds=0)
    done = ended(http, receipt)
    result = http.get(receipt["response_url"])
    assert done["error_type"] == "request_timeout"
    assert result.status_code == 504
    assert result.headers["X-Fal-Request-Timeout-Type"] == "user"
    assert result.json()["error_type"] == "request_timeout"


def test_the_new_name_of_the_start_timeout_wins_over_the_old(http, busy):
    headers = {"X-Fal-Request-Start-Timeout": "60", "X-Fal-Request-Timeout": "0.11"}
    receipt = submit(http, "sandbox/patient", headers=headers, seconds=0)
    time.sleep(0.2)
    assert status(http, receipt)["status"] == "IN_QUEUE"


def test_a_started_request_is_not_cut_by_its_start_timeout(http):
    headers = {"X-Fal-Request-Start-Timeout": "0.15"}
    receipt = submit(http, "sandbox/patient", headers=headers, seconds=0.3)
    ended(http, receipt)
    assert http.get(receipt["response_url"]).status_code == 200


@pytest.mark.parametrize("value", ["soon", "0.1", "-3", "inf", "nan"])
def test_a_bad_start_timeout_is_refused_and_nothing_is_accepted(sandbox, http, value):
    before = len(sandbox.ledger)
    reply = http.post(
        "/queue/sandbox/echo", json={}, headers={"X-Fal-Request-Start-Timeout": value}
    )
    assert reply.status_code == 400
    assert reply.headers["X-Fal-Error-Type"] == reply.json()["error_type"] == "bad_request"
    assert len(sandbox.ledger) == before


def test_cancelling_a_waiting_request_removes_it_at_once(http, busy):
    receipt = submit(http, "sandbox/patient", seconds=0)
    assert cancel(http, receipt) == (200, {"status": "OK"})
    done = status(http, receipt)
    assert (done["status"], done["error_type"]) == ("COMPLETED", "client_cancelled")
    assert http.get(receipt["response_url"]).status_code == 499
    assert cancel(http, receipt) == (400, {"status": "ALREADY_COMPLETED"})


def test_a_running_model_that_listens_stops_on_cancel(http):
    receipt = submit(http, "sandbox/patient", seconds=60)
    until(http, receipt, "IN_PROGRESS")
    assert cancel(http, receipt) == (202, {"status": "CANCELLATION_REQUESTED"})
    assert ended(http, receipt)["error_type"] == "client_cancelled"
    result = http.get(receipt["response_url"])
    assert (result.status_code, result.headers["X-Fal-Error-Type"]) == (499, "client_cancelled")


def test_a_running_model_that_does_not_listen_finishes_all_the_same(sandbox, http):
    sandbox.faults.add(**held("sandbox/slow"))
    receipt = submit(http, "sandbox/slow", steps=2, seconds_per_step=0)
    until(http, receipt, "IN_PROGRESS")
    assert cancel(http, receipt)[0] == 202
    sandbox.faults.clear()
    assert "error" not in ended(http, receipt)
    assert http.get(receipt["response_url"]).json()["steps"] == 2


def test_unknown_ids_other_apps_and_strangers_get_the_same_404(http, busy):
    path = "/queue/sandbox/patient/requests/"
    strange = [
        http.get(f"{path}{'0' * 8}/status"),
        http.put(f"{path}{'0' * 8}/cancel"),
        http.get(f"/queue/sandbox/echo/requests/{busy['request_id']}"),
        http.get(busy["status_url"], headers=STRANGER),
        http.get(busy["response_url"], headers=STRANGER),
        http.put(busy["cancel_url"], headers=STRANGER),
    ]
    assert {(r.status_code, r.text) for r in strange} == {(404, '{"status":"NOT_FOUND"}')}
    assert status(http, busy)["status"] == "IN_PROGRESS"


@pytest.mark.parametrize("key", ["", "Key wrong:key", "Bearer sandbox:sandbox", "Key"])
def test_a_call_without_a_good_key_is_401(sandbox, key):
    with httpx.Client(base_url=sandbox.url, headers={"Authorization": key}) as nobody:
        replies = [nobody.post("/queue/sandbox/echo", json={}),
                   nobody.post("/run/sandbox/echo", json={}),
                   nobody.get("/control/ledger"),
                   nobody.post("/rest/tokens/", json={"allowed_apps": ["echo"]})]  # fmt: skip
    assert [reply.status_code for reply in replies] == [401] * 4
    assert replies[0].json() == {"detail": "invalid key credentials"}


def test_an_unknown_app_is_404_at_once_and_an_unknown_path_ends_so(http):
    assert http.post("/queue/sandbox/nothing", json={}).status_code == 404
    assert http.post("/queue/sandbox", json={}).status_code == 404
    receipt = submit(http, "sandbox/echo/quality")
    assert ended(http, receipt)["error"] == "Invalid status code: 404"
    result = http.get(receipt["response_url"])
    assert (result.status_code, result.json()) == (404, {"detail": "Path /quality not found"})


def test_a_wrong_method_is_405(http, busy):
    assert http.get("/queue/sandbox/echo").status_code == 405
    assert http.post(busy["cancel_url"]).status_code == 405
    assert http.put(busy["status_url"]).status_code == 405


def test_a_lost_runner_sends_the_request_back_and_it_runs_again_under_its_id(sandbox, http):
    sandbox.faults.add(when="runner", do="lose", endpoint="sandbox/echo", times=2)
    receipt = submit(http, "sandbox/echo", message="at last")
    ended(http, receipt)
    assert http.get(receipt["response_url"]).json()["message"] == "at last"
    assert sandbox.faults.rules == []


def test_no_retry_ends_with_the_503_of_the_first_attempt(sandbox, http):
    sandbox.faults.add(when="runner", do="lose", times=2)
    receipt = submit(http, "sandbox/echo", headers={"X-Fal-No-Retry": "1"})
    assert ended(http, receipt)["error_type"] == "runner_disconnected"
    assert http.get(receipt["response_url"]).status_code == 503
    assert sandbox.faults.rules[0]["times"] == 1


def test_a_request_that_backs_off_is_in_queue_and_can_be_cancelled():
    with SandboxServer(tuning=Tuning(retry_gap_s=30)) as server, client_of(server) as http:
        server.faults.add(when="runner", do="lose")
        receipt = submit(http, "sandbox/echo")
        wait_for(lambda: not server.faults.rules)
        assert until(http, receipt, "IN_QUEUE")["queue_position"] == 0
        assert cancel(http, receipt) == (200, {"status": "OK"})
        assert ended(http, receipt)["error_type"] == "client_cancelled"


@pytest.mark.slow
def test_results_are_forgotten_after_their_time_and_large_ones_sooner():
    tuning = Tuning(retention_s=60, large_retention_s=0.1)
    with SandboxServer(tuning=tuning) as server, client_of(server) as http:
        small = submit(http, "sandbox/large", kilobytes=1)
        large = submit(http, "sandbox/large", kilobytes=20)
        wait_for(lambda: http.get(large["response_url"]).status_code == 404)
        assert http.get(small["response_url"]).status_code == 200

"""The sandbox misbehaves exactly as told, as often as told, and only then."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from requests_app.faults.rules import DOES
from requests_app.sandbox import Faults, InvalidRule
from tests.sandbox.calls import ended, held, status, submit, until

ECHO = "/queue/sandbox/echo"


def test_a_rule_strikes_as_often_as_it_says(sandbox, http):
    sandbox.faults.add(when="submit", do="503", times=2)
    codes = [http.post(ECHO, json={}).status_code for _ in range(3)]
    assert codes == [503, 503, 200]


def test_a_rule_without_times_strikes_until_it_is_cleared(sandbox, http):
    sandbox.faults.add(when="submit", do="500_json", times=None)
    assert [http.post(ECHO, json={}).status_code for _ in range(3)] == [500] * 3
    sandbox.faults.clear()
    assert http.post(ECHO, json={}).status_code == 200


def test_a_rule_for_one_endpoint_leaves_the_others_alone(sandbox, http):
    sandbox.faults.add(when="submit", do="503", endpoint="sandbox/l*")
    assert http.post(ECHO, json={}).status_code == 200
    assert http.post("/queue/sandbox/large", json={}).status_code == 503


def test_probability_decides_by_chance():
    faults = Faults()
    faults.add(when="submit", do="503", times=None, probability=0.5)
    struck = sum(faults.take("submit", "a/b") is not None for _ in range(1000))
    assert 400 < struck < 600
    faults.replace([{"when": "submit", "do": "503", "probability": 0}])
    assert faults.take("submit", "a/b") is None


@pytest.mark.parametrize(
    "rule",
    [
        {"when": "lunch", "do": "503"},
        {"when": "submit", "do": "go_backwards"},
        {"when": "submit", "do": "503", "often": 3},
        {"when": "submit", "do": "503", "times": 0},
        {"when": "submit", "do": "503", "probability": 2},
        {"when": "submit", "do": "delay", "seconds": "long"},
        {"when": ["submit"], "do": "503"},
        "submit",
    ],
)
def test_a_wrong_rule_is_refused_with_a_sentence_and_changes_nothing(sandbox, http, rule):
    sandbox.faults.add(when="status", do="503")
    reply = http.post("/control/faults", json=[rule])
    assert reply.status_code == 422
    assert reply.json()["detail"].endswith(".")
    assert [kept["when"] for kept in sandbox.faults.rules] == ["status"]
    with pytest.raises(InvalidRule):
        sandbox.faults.replace([rule])


def test_rules_can_be_set_seen_and_cleared_over_http(sandbox, http):
    rule = {"when": "submit", "do": "429", "retry_after": 7}
    assert http.post("/control/faults", json=[rule]).json()[0]["retry_after"] == 7
    refused = http.post(ECHO, json={})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert refused.json()["error_type"] == "concurrent_requests_limit"
    http.post("/control/faults", json=[rule])
    assert len(http.get("/control/faults").json()) == 1
    assert http.delete("/control/faults").json() == []
    assert http.post("/control/faults", content=b"{").status_code == 422


@pytest.mark.parametrize("do", ["reset_before", "drop_before"])
def test_a_connection_that_ends_before_leaves_nothing_accepted(sandbox, http, do):
    before = len(sandbox.ledger)
    sandbox.faults.add(when="submit", do=do)
    with pytest.raises(httpx.TransportError) as caught:
        http.post(ECHO, json={})
    assert isinstance(caught.value, httpx.ReadError) == (do == "reset_before")
    assert len(sandbox.ledger) == before


@pytest.mark.parametrize("do", ["drop_reply_after_accepting", "reset_after_accepting"])
def test_a_reply_lost_after_accepting_leaves_one_accepted_request(sandbox, http, do):
    before = len(sandbox.ledger)
    sandbox.faults.add(when="submit", do=do)
    with pytest.raises(httpx.TransportError):
        http.post(ECHO, json={"message": "lost"})
    (entry,) = sandbox.ledger[before:]
    url = f"{ECHO}/requests/{entry.request_id}"
    assert ended(http, {"status_url": f"{url}/status"})["status"] == "COMPLETED"
    assert http.get(url).json()["message"] == "lost"


def test_a_body_can_end_before_its_promised_length(sandbox, http):
    sandbox.faults.add(when="submit", do="cut_body")
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(ECHO, json={})


def test_a_body_can_be_cut_json_another_type_html_or_nothing(sandbox, http):
    seen = {}
    for do in ("truncate_json", "wrong_type", "html_200", "empty_200", "502_html", "504_html"):
        sandbox.faults.add(when="submit", do=do)
        reply = http.post(ECHO, json={})
        seen[do] = (reply.status_code, reply.headers["content-type"].split(";")[0], reply.text)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(seen["truncate_json"][2])
    assert seen["truncate_json"][:2] == (200, "application/json")
    assert seen["wrong_type"][2] == '["unexpected"]'
    assert seen["html_200"][:2] == (200, "text/html")
    assert seen["empty_200"] == (200, "application/json", "")
    assert seen["502_html"][:2] == (502, "text/html")
    assert "nginx" in seen["504_html"][2]


def test_a_receipt_can_name_foreign_urls_or_no_id(sandbox, http):
    sandbox.faults.add(when="submit", do="bad_urls")
    assert submit(http, "sandbox/echo")["status_url"].startswith("http://elsewhere.invalid/")
    sandbox.faults.add(when="submit", do="no_id")
    assert "request_id" not in submit(http, "sandbox/echo")


def test_an_accepted_request_can_vanish(sandbox, http):
    sandbox.faults.add(when="submit", do="lose")
    receipt = submit(http, "sandbox/echo")
    assert http.get(receipt["status_url"]).status_code == 404


def test_a_status_can_go_backwards_or_be_a_word_nobody_knows(sandbox, http):
    receipt = submit(http, "sandbox/echo")
    ended(http, receipt)
    sandbox.faults.add(when="status", do="go_backwards")
    sandbox.faults.add(when="status", do="unknown_status")
    sandbox.faults.add(when="status", do="not_found")
    sandbox.faults.add(when="result", do="in_progress")
    assert status(http, receipt)["queue_position"] == 7
    assert status(http, receipt)["status"] == "MEDITATING"
    assert http.get(receipt["status_url"]).json() == {"status": "NOT_FOUND"}
    assert http.get(receipt["response_url"]).status_code == 400
    assert status(http, receipt)["status"] == "COMPLETED"


def test_a_cancel_can_be_answered_and_ignored(sandbox, http):
    sandbox.faults.add(when="cancel", do="ignore")
    receipt = submit(http, "sandbox/patient", seconds=0.2)
    assert http.put(receipt["cancel_url"]).status_code == 202
    assert "error" not in ended(http, receipt)


def test_an_end_is_held_back_until_its_rule_is_cleared(sandbox, http):
    sandbox.faults.add(**held("sandbox/echo"))
    receipt, other = submit(http, "sandbox/echo"), submit(http, "sandbox/large", kilobytes=1)
    ended(http, other)
    until(http, receipt, "IN_PROGRESS")
    sandbox.faults.clear()
    ended(http, receipt)


def stream(http: httpx.Client, words: int = 5) -> list[str]:
    given = {"words": words, "delay_s": 0.01, "mode": "delta"}
    with http.stream("POST", "/run/sandbox/text/stream", json=given) as reply:
        return [line for line in reply.iter_lines() if line]


@pytest.mark.parametrize("do", ["cut", "reset"])
def test_a_stream_can_break_after_some_events(sandbox, http, do):
    sandbox.faults.add(when="stream", do=do, after=2)
    received: list[bytes] = []
    given = {"delay_s": 0.02}
    with (
        pytest.raises(httpx.TransportError),
        http.stream("POST", "/run/sandbox/text/stream", json=given) as reply,
    ):
        for chunk in reply.iter_raw():
            received.append(chunk)
    assert b"".join(received).count(b"data: ") == 2


def test_a_stream_can_carry_broken_json_or_come_byte_by_byte(sandbox, http):
    whole = stream(http)
    sandbox.faults.add(when="stream", do="split_bytes")
    assert stream(http) == whole
    sandbox.faults.add(when="stream", do="bad_json")
    spoilt = stream(http)
    assert len(spoilt) == len(whole) + 1
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(spoilt[1][6:])


@pytest.mark.parametrize(
    ("do", "code"), [("401", 401), ("403", 403), ("not_found", 404), ("redirect", 307)]
)
def test_a_call_can_be_refused_or_led_elsewhere(sandbox, http, do, code):
    sandbox.faults.add(when="run", do=do)
    assert http.post("/run/sandbox/echo", json={}).status_code == code


def test_a_status_can_lack_its_logs(sandbox, http):
    receipt = submit(http, "sandbox/echo")
    ended(http, receipt)
    sandbox.faults.add(when="status", do="no_logs")
    assert "logs" not in status(http, receipt)


@pytest.mark.parametrize("when", ["stream", "status_stream"])
def test_a_stream_can_fall_silent_for_a_while(sandbox, http, when):
    receipt = submit(http, "sandbox/slow", steps=3, seconds_per_step=0.1)
    sandbox.faults.add(when=when, do="silence", seconds=0.3, after=0)
    began = time.monotonic()
    if when == "stream":
        assert len(stream(http)) == 6
    else:
        assert http.get(receipt["status_url"] + "/stream").text.count("COMPLETED") == 1
    assert time.monotonic() - began >= 0.3


def test_a_run_can_be_delayed(sandbox, http):
    sandbox.faults.add(when="run", do="delay", seconds=0.2)
    reply = http.post("/run/sandbox/echo", json={})
    assert reply.elapsed.total_seconds() >= 0.2


def test_the_docstring_tells_every_place_a_fault_can_strike():
    import requests_app.faults.rules as module

    assert module.__doc__
    assert [when for when in DOES if when not in module.__doc__] == []

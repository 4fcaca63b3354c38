"""Deletion of payloads on the platform API."""

from __future__ import annotations

import uuid

import pytest

from tests.sandbox.calls import STRANGER, ended, submit

PATH = "/api/v1/models/requests/{}/payloads"


@pytest.mark.slow
def test_input_output_and_the_files_of_the_output_are_gone(http):
    receipt = submit(http, "sandbox/image", prompt="a wish", seed=5)
    ended(http, receipt)
    url = http.get(receipt["response_url"]).json()["images"][0]["url"]
    assert http.get(url).status_code == 200
    path = PATH.format(receipt["request_id"])
    assert http.delete(path, headers=STRANGER).status_code == 404
    once = {"Idempotency-Key": uuid.uuid4().hex}
    reply = http.delete(path, headers=once)
    assert reply.json() == {"cdn_delete_results": [{"link": url, "exception": None}]}
    assert http.get(url).status_code == 404
    assert http.get(receipt["response_url"]).status_code == 404
    # A retry is told the same; another call finds nothing.
    assert http.delete(path, headers=once).json() == reply.json()
    assert http.delete(path).status_code == 404


def test_what_is_no_id_or_has_not_ended_is_refused(http):
    receipt = submit(http, "sandbox/patient", seconds=30)
    assert http.delete(PATH.format(receipt["request_id"])).status_code == 400
    http.put(receipt["cancel_url"])
    assert http.delete(PATH.format("req-1")).status_code == 400
    assert http.delete(PATH.format(uuid.uuid4()), headers={"Authorization": ""}).status_code == 401

"""The dry run of a submit, and what its confirmation is good for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import signing

from requests_app.api import estimates
from requests_app.models import ApiToken, FalRequest
from tests.api.conftest import Caller

WANTED: dict[str, Any] = {"endpoint_id": "acme/one", "input": {"seed": 7, "scale": 1.5}}
INSIDE = {"input": {"seed": 7, "scale": 1.5}, "endpoint_id": "acme/one", "mode": "queue"}


def test_an_estimate_stores_nothing_and_its_confirmation_is_for_that_body_and_token(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = owner.post("estimate/", WANTED)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["endpoint_id"] == "acme/one"
    assert told["price"]["state"] in ("unknown", "not_allowed", "unreachable")
    assert told["input"] == {"valid": True, "checked": False, "errors": []}
    assert not FalRequest.objects.exists()

    def submit(body: Any, confirmation: str, caller: Caller = owner) -> Any:
        return caller.post("", body, Confirmation=confirmation)

    good = told["confirmation"]
    other = Caller(owner.user, owner.team, ApiToken.issue(owner.user, owner.team))
    refusals = [
        submit(WANTED | {"input": {"seed": 8, "scale": 1.5}}, good),
        submit(WANTED | {"mode": "run"}, good),
        submit(WANTED | {"priority": "low"}, good),
        submit(WANTED, good[:-1] + ("a" if good[-1] != "a" else "b")),
        submit(WANTED, signing.dumps([1, "x"])),
        submit(WANTED, good, other),
    ]
    for refused in refusals:
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["header", "Confirmation"]
    with monkeypatch.context() as earlier:
        earlier.setattr(estimates, "KEPT", timedelta(seconds=-1))
        assert submit(WANTED, good).status_code == 422
    assert not FalRequest.objects.exists()
    made = submit(
        INSIDE, good
    )  # the order of names makes no difference, nor a default that is written
    assert made.status_code == 201
    assert submit(WANTED | {"allow_duplicate": True}, good).status_code == 201


def test_an_estimate_is_refused_as_the_submit_would_be(owner: Caller, teammate: Caller) -> None:
    assert owner.post("estimate/", WANTED | {"endpoint_id": "none"}).status_code == 422
    assert owner.post("estimate/", WANTED | {"surprise": 1}).status_code == 422
    assert teammate.post("estimate/", WANTED).status_code == 403

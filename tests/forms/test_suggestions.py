"""What the empty form offers."""

from __future__ import annotations

import json

from requests_app.forms.examples import SANDBOX
from requests_app.forms.suggestions import first_values, known_endpoints, suggestions
from requests_app.request_input import parse_draft
from tests.builders import make_request


def test_the_teams_endpoints_come_newest_first_and_once(team, owner, stranger, settings):
    settings.SANDBOX = False
    for endpoint in ("acme/a", "acme/b", "acme/a", "acme/c"):
        make_request(team=team, person=owner, endpoint_id=endpoint)
    theirs = stranger.memberships.get().team
    make_request(team=theirs, person=stranger, endpoint_id="secret/x")
    assert known_endpoints(team) == ["acme/c", "acme/a", "acme/b"]


def test_the_sandbox_offers_its_own_after_them(team, owner, settings):
    settings.SANDBOX = True
    make_request(team=team, person=owner, endpoint_id="sandbox/slow")
    assert known_endpoints(team)[0] == "sandbox/slow"
    assert set(known_endpoints(team)) == set(SANDBOX)


def test_a_suggestion_brings_an_example_in_the_sandbox_alone(team, owner, settings):
    make_request(team=team, person=owner, endpoint_id="sandbox/crash")
    settings.SANDBOX = True
    offered = {one.endpoint: one for one in suggestions(team)}
    assert offered["sandbox/text"].mode == "stream"
    assert "prompt" in json.loads(offered["sandbox/text"].input)
    settings.SANDBOX = False
    assert suggestions(team) == [("sandbox/crash", "", "")]


def test_an_example_comes_filled_in_only_in_the_sandbox(settings):
    settings.SANDBOX = True
    assert "prompt" in json.loads(first_values("sandbox/image")["input"])
    settings.SANDBOX = False
    assert first_values("sandbox/image") == {"endpoint_id": "sandbox/image"}
    assert len(first_values("x" * 5000)["endpoint_id"]) == 300


def test_every_example_may_be_sent():
    for endpoint, (mode, text) in SANDBOX.items():
        assert parse_draft(endpoint_id=endpoint, mode=mode, input=text, options={})

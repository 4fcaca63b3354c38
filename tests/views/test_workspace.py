"""The last runs below the form, and the result beside it: whose they are, and what stands in them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from requests_app.models import FalRequest
from requests_app.views.workspace import MOST_RUNS
from tests.builders import make_request

RUNS = reverse("requests:runs")


@pytest.fixture
def row(team, owner):
    return make_request(team=team, person=owner, endpoint_id="acme/img")


def result(row: FalRequest) -> str:
    return reverse("requests:result", args=[row.public_id])


def test_the_runs_are_those_of_the_endpoint_newest_first(as_owner, team, owner, row):
    newer = make_request(team=team, person=owner, endpoint_id="acme/img")
    other = make_request(team=team, person=owner, endpoint_id="acme/other")
    shown = as_owner.get(RUNS, {"endpoint": " acme/img "}).content.decode()
    assert shown.index(f"run-{newer.public_id}") < shown.index(f"run-{row.public_id}")
    assert str(other.public_id) not in shown


def test_the_runs_are_bounded(as_owner, team, owner):
    for _ in range(MOST_RUNS + 1):
        make_request(team=team, person=owner, endpoint_id="acme/img")
    shown = as_owner.get(RUNS, {"endpoint": "acme/img"}).content.decode()
    assert shown.count('class="run"') == MOST_RUNS


@pytest.mark.parametrize("name", ["", "never/run", "x" * 5000, "a\0b", "<script>", "../.."])
def test_an_endpoint_without_runs_says_so(as_owner, row, name):
    reply = as_owner.get(RUNS, {"endpoint": name})
    assert reply.status_code == 200
    assert "<script>" not in reply.content.decode()
    assert "run-list" not in reply.content.decode()


def test_another_team_sees_neither_runs_nor_result(as_stranger, row):
    assert (
        str(row.public_id) not in as_stranger.get(RUNS, {"endpoint": "acme/img"}).content.decode()
    )
    assert as_stranger.get(result(row)).status_code == 404


def test_the_result_has_what_the_page_has_without_its_frame(as_owner, row):
    shown = as_owner.get(result(row)).content.decode()
    assert "<html" not in shown and "<h1" not in shown
    for part in ("head", "progress", "output", "side", "events", "webhooks", "raw"):
        assert shown.count(f'id="part-{part}"') == 1
    assert f"/requests/{row.public_id}/live/?result=1" in shown
    live = as_owner.get(f"/requests/{row.public_id}/live/?result=1").content.decode()
    assert "<h1" not in live


def test_the_first_page_has_the_runs_for_readers_without_scripts(as_owner, row):
    shown = as_owner.get(reverse("requests:new"), {"endpoint": "acme/img"}).content.decode()
    assert f"?again={row.public_id}" in shown

from __future__ import annotations

import logging

import pytest

from requests_app.fal.endpoints import Hosts
from requests_app.worker.faults import describe, tell


def of_ours() -> Exception:
    try:
        Hosts(run="no url", queue="", realtime="", rest="", api="", jwks="")
    except ValueError as error:
        return error
    raise AssertionError


def test_a_fault_is_its_kind_and_the_innermost_place_of_ours() -> None:
    assert describe(of_ours()).startswith("InvalidHost in fal/endpoints.py:")


def test_a_fault_from_elsewhere_is_its_kind() -> None:
    assert describe(KeyError("x")) == "KeyError"


def test_it_is_told_in_one_line_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        tell(logging.getLogger("x"), "The look failed", ValueError("a prompt of somebody's"))
    assert [record.message for record in caplog.records] == ["The look failed: ValueError."]
    assert "prompt" not in caplog.text

"""fal's list of models: what is asked, and what is read of any answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from requests_app.fal.jsontext import NotJson
from requests_app.fal.models_list import read_models, search_params


def read(*models: Any, **more: Any) -> Any:
    return read_models(json.dumps({"models": models, **more}).encode())


def test_a_search_asks_for_what_was_given_alone() -> None:
    assert search_params() == {"limit": "24"}
    assert search_params(q="flux", category="vision", cursor="x") == {
        "limit": "24", "q": "flux", "category": "vision", "cursor": "x",
    }  # fmt: skip


def test_a_model_is_read_with_what_fal_says_of_it() -> None:
    facts = {
        "display_name": "Flux", "category": "text-to-image", "description": "A  fast\nmodel.",
        "status": "active", "license_type": "commercial", "model_url": "https://fal.run/fal-ai/flux",
    }  # fmt: skip
    [model] = read({"endpoint_id": "fal-ai/flux/dev", "metadata": facts}).models
    assert model.endpoint_id == "fal-ai/flux/dev"
    assert (model.title, model.category, model.status) == ("Flux", "text-to-image", "active")
    assert (model.licence, model.description) == ("commercial", "A fast model.")
    assert model.page_url == "https://fal.run/fal-ai/flux"


@pytest.mark.parametrize("facts", [None, [], "x", {"display_name": 7, "model_url": {}}])
def test_what_is_malformed_counts_as_absent(facts: Any) -> None:
    [model] = read({"endpoint_id": "acme/x", "metadata": facts}).models
    assert (model.endpoint_id, model.title, model.page_url) == ("acme/x", "", "")


@pytest.mark.parametrize(
    "entry", [None, 1, "acme/x", {}, {"endpoint_id": 3}, {"endpoint_id": "../x"}]
)
def test_an_entry_without_an_endpoint_id_is_left_out(entry: Any) -> None:
    assert read(entry).models == ()


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//evil", "https://a b", "https://a\u202eb"]
)
def test_an_address_that_is_no_plain_web_address_becomes_no_link(url: str) -> None:
    [model] = read({"endpoint_id": "acme/x", "metadata": {"model_url": url}}).models
    assert model.page_url == ""


@pytest.mark.parametrize(
    ("more", "cursor"),
    [
        ({"next_cursor": "abc", "has_more": True}, "abc"),
        ({"next_cursor": "abc"}, "abc"),
        ({"next_cursor": "abc", "has_more": False}, ""),
        ({"next_cursor": None, "has_more": True}, ""),
        ({}, ""),
    ],
)
def test_the_cursor_leads_on_as_long_as_there_is_more(more: Any, cursor: str) -> None:
    assert read(**more).next_cursor == cursor


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"models": {}}', b"\xff", b"[" * 9999])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        read_models(body)

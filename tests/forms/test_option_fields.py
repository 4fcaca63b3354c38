"""A field for every entry of the table, which says the same when it is filled in again."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.fal.headers import understand
from requests_app.fal.options import OPTIONS, REALTIME
from requests_app.forms.option_fields import OptionForm, initial_of
from tests.fal.test_options import TABLE


def filled(stored: dict[str, Any]) -> OptionForm:
    return OptionForm({name: "" if value is None else value for name, value in stored.items()})


def test_every_option_has_a_field_that_is_drawn_once() -> None:
    form = OptionForm()
    drawn = [row.option for row in (*form.typed_rows, *form.checked_rows)]
    assert sorted(one.name for one in drawn) == sorted(one.name for one in OPTIONS)


def test_a_form_for_one_mode_has_what_has_a_meaning_there() -> None:
    names = OptionForm(mode=REALTIME).fields.keys()
    assert names == {"tags", "store_io", "object_lifecycle_preference", "headers"}


def test_an_empty_form_asks_for_nothing() -> None:
    form = filled(initial_of({}))
    assert form.is_valid()
    assert form.given() == {}
    assert not form.options_open


@pytest.mark.parametrize("name", TABLE)
def test_an_option_of_an_earlier_request_is_filled_in_so_that_it_says_the_same(name: str) -> None:
    for value in (TABLE[name].value, TABLE[name].other):
        form = filled(initial_of({name: value}))
        assert form.is_valid(), form.errors
        says_the_default = value == "normal" or (value is False and name != "store_io")
        assert form.given() == ({} if says_the_default else {name: value})


def test_a_header_stored_as_one_fills_the_field_of_its_option() -> None:
    stored = {"headers": {"x-fal-tags": "a=b", "x-own": "1"}, "path": "/realtime"}
    form = filled(initial_of(stored))
    assert form.is_valid(), form.errors
    assert form.given() == understand({"headers": stored["headers"]})


def test_an_option_without_a_field_in_the_mode_is_shown_as_the_header_it_was() -> None:
    stored = {"no_retry": True, "tags": "a=b", "headers": {"x-own": "1"}, "priority": "low"}
    initial = initial_of(stored, mode=REALTIME)
    assert initial["headers"] == "x-own: 1\nx-fal-no-retry: 1\nx-fal-queue-priority: low"
    form = OptionForm(initial, mode=REALTIME)
    assert form.is_valid(), form.errors
    assert understand(form.given()) == stored


def test_what_is_stored_and_no_longer_allowed_is_shown_and_refused() -> None:
    form = filled(initial_of({"headers": {"host": "x"}}))
    assert form.is_valid()
    assert form.given() == {"headers": {"host": "x"}}

"""A refused form shows what was typed again, names what is too long, and is never megabytes long."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from requests_app.forms.option_fields import MOST_TYPED
from requests_app.forms.short import LARGE_LINE, LARGE_TEXT, LONGEST_SENTENCE
from requests_app.forms.submit import SubmitForm, new_token

MEGABYTE = "<" * 1024 * 1024
STILL_THERE = "Go back: your browser still has it."
GOOD = {"endpoint_id": "acme/img", "mode": "queue", "input": "{}"}


def typed(**values: Any) -> dict[str, Any]:
    return {**GOOD, "token": new_token(), **values}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SubmitForm().fields if name != "unchecked"])
def test_a_megabyte_in_any_field_is_not_in_the_page_that_refuses_it(name, as_owner):
    values = {"input": "[", name: MEGABYTE}  # "[": a ticked box alone is refused for no text
    reply = as_owner.post(reverse("requests:new"), typed(**values))
    assert reply.status_code == 422
    assert len(reply.content) < 100_000


@pytest.mark.parametrize(
    ("name", "bound"),
    [("headers", MOST_TYPED), ("tags", 4096), ("start_timeout", 4096), ("retry_config", 4096), ("endpoint_id", 300)],
)  # fmt: skip
def test_what_is_too_long_is_told_with_the_bound_at_its_field(name, bound, as_owner):
    form = SubmitForm(typed(**{name: "x" * 1_000_000}))
    assert f"at most {bound} characters" in str(form[name].errors)
    reply = as_owner.post(reverse("requests:new"), typed(**{name: "x" * 1_000_000}))
    [told] = [part for part in reply.text.split("<div id=") if part.startswith(f'"error-{name}"')]
    assert f"at most {bound} characters" in told
    assert STILL_THERE in told


def test_with_scripts_what_was_typed_still_stands_there_and_needs_no_way_back(as_owner):
    values = typed(headers="x" * 1_000_000)
    reply = as_owner.post(reverse("requests:new"), values, headers={"HX-Request": "true"})
    assert reply.status_code == 422
    assert f"at most {MOST_TYPED} characters" in reply.text
    assert STILL_THERE not in reply.text


@pytest.mark.parametrize(
    ("name", "most"), [("input", LARGE_TEXT), ("headers", LARGE_TEXT), ("endpoint_id", LARGE_LINE)]
)
def test_a_text_is_shown_again_up_to_its_bound(name, most):
    field = SubmitForm({name: "x" * most})[name]
    assert (field.value(), field.is_left_out) == ("x" * most, False)
    field = SubmitForm({name: "x" * (most + 1)})[name]
    assert (field.value(), field.is_left_out) == ("", True)


def test_what_the_page_begins_with_is_never_left_out():
    field = SubmitForm(initial={"input": "x" * (LARGE_TEXT + 1)})["input"]
    assert (len(field.value()), field.is_left_out) == (LARGE_TEXT + 1, False)


def test_an_error_that_quotes_what_was_typed_is_shortened():
    [sentence] = SubmitForm(typed(mode="x" * 1_000_000))["mode"].errors
    assert sentence.startswith("Select a valid choice. xxx")
    assert len(sentence) == LONGEST_SENTENCE + 1
    [whole] = SubmitForm(typed(mode="sideways"))["mode"].errors
    assert "sideways is not one of" in whole


@pytest.mark.parametrize(
    "name", ["account_login", "requests:add_member", "requests:times", "requests:invite"]
)
def test_other_forms_are_as_short(name, as_owner, client, team):
    asked = client if name == "account_login" else as_owner
    names = ("login", "username", "password", "zone", "role", "hours", "has_ages")
    values = {**dict.fromkeys(names, MEGABYTE), "made_for": str(team.pk)}
    assert len(asked.post(reverse(name), values).content) < 100_000

"""Run mode against a real ``fal.App``: from the form to its result or its error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app import lifecycle
from requests_app.forms.submit import new_token
from requests_app.models import FalRequest, Status
from tests.fal_app.serving import ENDPOINT_ID, FalApp
from tests.worker.conftest import ended

pytestmark = [pytest.mark.fal, pytest.mark.django_db(transaction=True)]
Ask = Callable[..., FalRequest]
Until = Callable[..., FalRequest]


def body_of(row: FalRequest) -> Any:
    return json.loads(bytes(row.output or b""))


def errors_of(row: FalRequest) -> dict[str, str]:
    """Field -> type of the error."""
    return {".".join(map(str, e["loc"])): e["type"] for e in body_of(row)["detail"]}


def test_a_run_reaches_its_result(ask: Ask, until: Until) -> None:
    row = until(ask("run", prompt="a lake", steps=3), ended)
    assert row.status == Status.COMPLETED, row.error
    answer = body_of(row)
    assert answer["text"] == "a lake"
    assert (answer["images"][0]["width"], answer["images"][0]["content_type"]) == (3, "image/png")


def test_a_wrong_input_fails_with_its_fields(ask: Ask, until: Until) -> None:
    row = until(ask("run", prompt="", steps=51), ended)
    assert (row.status, row.error_code) == (Status.FAILED, 422)
    assert errors_of(row) == {
        "body.prompt": "string_too_short", "body.steps": "less_than_equal",
    }  # fmt: skip


def test_a_missing_field_fails_with_its_name(ask: Ask, until: Until) -> None:
    row = until(ask("run", steps=2), ended)
    assert (row.error_code, errors_of(row)) == (422, {"body.prompt": "missing"})


def test_an_exception_in_the_app_fails_with_500_and_is_not_called_interrupted(
    ask: Ask, until: Until
) -> None:
    row = until(ask("run", "/raise", prompt="a lake"), ended)
    assert (row.status, row.error_code) == (Status.FAILED, 500)
    assert (row.error, row.error_type) == ("Internal Server Error", "")


def test_a_path_the_app_does_not_have_is_a_404(ask: Ask, until: Until) -> None:
    row = until(ask("run", "/nowhere", prompt="a lake"), ended)
    assert (row.status, row.error_code) == (Status.FAILED, 404)
    assert "/nowhere not found" in row.error


def test_a_redirect_to_the_same_path_with_a_slash_is_named_and_not_followed(
    ask: Ask, until: Until, fal_app: FalApp
) -> None:
    """So does the local server with a bare mount point whose app has "/" alone."""
    row = until(ask("run", "/slash", prompt="redirected"), ended)
    assert (row.status, row.error_type) == (Status.FAILED, "redirected")
    assert "redirect (307)" in row.error
    assert "billed" not in row.error
    assert "witness: redirected" not in fal_app.log


def test_a_cancelled_run_is_hung_up_and_called_cancelled(
    ask: Ask, until: Until, owner: User
) -> None:
    # It would run for longer than the row is waited for.
    row = until(ask("run", prompt="slowly", seconds=60), lambda row: row.started_at is not None)
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    row = until(row, ended)
    assert row.status == Status.CANCELLED


def test_the_form_and_the_request_page_work_with_it_unchanged(
    at_fal_app: FalApp, as_owner: Client, until: Until
) -> None:
    form = {
        "token": new_token(), "endpoint_id": ENDPOINT_ID, "mode": "run",
        "input": '{"prompt": "", "steps": 2}',
    }  # fmt: skip
    address = as_owner.post("/requests/new/", form)["Location"]
    until(FalRequest.objects.get(), ended)
    shown = as_owner.get(address).content.decode()
    assert "prompt" in shown
    assert "String should have at least 1 character" in shown


def test_a_picture_inside_the_answer_is_shown(
    at_fal_app: FalApp, ask: Ask, as_owner: Client, until: Until
) -> None:
    row = until(ask("run", prompt="a lake", steps=4), ended)
    shown = as_owner.get(f"/requests/{row.public_id}/").content.decode()
    assert re.search(r'<img[^>]* src="data:image/png;base64,', shown)

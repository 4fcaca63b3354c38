"""The form and the same request twice: the question, what was typed, the way on."""

from __future__ import annotations

import pytest

from requests_app.models import FalRequest
from tests.views.test_actions import HX, NEW, filled, url

TYPED = '{ "prompt" :  "x", "n": 7.50 }'
SAME = '{"n": 7.5, "prompt": "x"}'


@pytest.mark.parametrize("headers", [{}, HX])
def test_the_same_request_is_asked_about_and_nothing_is_sent(as_owner, headers):
    as_owner.post(NEW, filled(input=TYPED))
    row = FalRequest.objects.get()
    reply = as_owner.post(NEW, filled(input=SAME), **headers)
    page = reply.content.decode()
    assert (reply.status_code, FalRequest.objects.count()) == (422, 1)
    assert "The same request is running." in page and "Submit anyway" in page
    assert url("detail", row) in page
    assert reply.get("HX-Trigger") is None


def test_what_was_typed_is_kept(as_owner):
    as_owner.post(NEW, filled(input=SAME))
    page = as_owner.post(NEW, filled(input=TYPED, priority="low"))
    assert page.context["form"]["input"].value() == TYPED
    assert page.context["form"]["priority"].value() == "low"


def test_submit_anyway_makes_it(as_owner):
    as_owner.post(NEW, filled())
    reply = as_owner.post(NEW, filled(allow_duplicate="1"), **HX)
    assert (reply.status_code, FalRequest.objects.count()) == (200, 2)
    assert "Submit anyway" not in reply.content.decode()


def test_submit_stands_before_submit_anyway_so_that_enter_means_it(as_owner):
    as_owner.post(NEW, filled())
    page = as_owner.post(NEW, filled()).content.decode()
    form = page[page.index('id="request-form"') :]
    assert form.index('type="submit"') < form.index("Submit anyway")
    assert form.index("Submit anyway") < form.index("</form>")


def test_run_again_is_an_explicit_repeat(as_owner):
    as_owner.post(NEW, filled())
    row = FalRequest.objects.get()
    for _ in range(2):
        as_owner.post(url("again", row), {"token": filled()["token"]})
    assert FalRequest.objects.count() == 3

"""A pasted call fills in the form; a key in it is shown and kept nowhere."""

from __future__ import annotations

import html
import json
import logging
import re
from typing import Any

import pytest
from django.urls import reverse

from requests_app.models import FalRequest
from tests.forms.paste.test_package import CURL, FETCH, JAVASCRIPT, KEY, PYTHON, REQUESTS
from tests.views.request_page import HOSTILE

PASTE = reverse("requests:paste")
HX = {"HX-Request": "true"}


def text(reply: Any) -> str:
    return html.unescape(reply.content.decode())


def input_of(reply: Any) -> str:
    found = re.search(r'<textarea id="id_input".*?>\n(.*?)</textarea>', text(reply), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("pasted", [CURL, PYTHON, JAVASCRIPT, FETCH, REQUESTS])
def test_the_form_is_filled_in_and_no_key_is_in_the_page_or_the_logs(as_owner, caplog, pasted):
    caplog.set_level(logging.DEBUG)
    reply = as_owner.post(PASTE, {"pasted": pasted})
    page = text(reply)
    assert reply.status_code == 200
    assert 'value="fal-ai/flux/dev"' in page
    assert re.search(r'value="queue"\s+checked', page)
    assert re.search(r'value="low"\s+selected', page)
    assert "12345678901234567890" in input_of(reply)
    assert "7.50" in input_of(reply)
    assert "Filled in from what you pasted." in page
    assert KEY[:8] not in page + caplog.text
    assert KEY[-32:] not in page + caplog.text
    assert not FalRequest.objects.exists()


def test_what_was_filled_in_can_be_sent(as_owner):
    page = text(as_owner.post(PASTE, {"pasted": 'fal.run("acme/app", {input: {a: 1.50}})'}))
    token = re.search(r'name="token" id="form-token" value="(\w+)"', page)
    assert token
    sent = {"token": token[1], "endpoint_id": "acme/app", "mode": "run", "input": '{"a": 1.50}'}
    as_owner.post(reverse("requests:new"), sent)
    assert json.loads(FalRequest.objects.get().input_text) == {"a": 1.5}


def test_a_long_line_is_laid_out_and_a_short_one_stays(as_owner):
    long = json.dumps({"prompt": "x" * 90, "scale": 1})
    assert input_of(as_owner.post(PASTE, {"pasted": long})).count("\n") == 3
    assert input_of(as_owner.post(PASTE, {"pasted": '{"a": 1.0}'})) == '{"a": 1.0}'


def test_notes_say_what_was_left_out(as_owner):
    page = text(as_owner.post(PASTE, {"pasted": 'fal.run("acme/app", {input: {a: f()}})'}))
    assert "a was left out: it is computed by the program." in page


@pytest.mark.parametrize(
    "pasted", ["", "no call", f"hello {KEY}", f"curl 'Authorization: Key {KEY}", HOSTILE, "\0"]
)
def test_what_is_no_call_is_refused_with_a_sentence_and_not_shown(as_owner, pasted):
    reply = as_owner.post(PASTE, {"pasted": pasted})
    page = reply.content.decode()
    assert reply.status_code == 422
    assert 'id="paste-problem"' in page
    assert '<details class="menu paste" open>' in page
    assert "Go back: your browser still has it." in page
    assert KEY[:8] not in page
    assert HOSTILE not in page


def test_a_script_gets_the_sentence_or_nothing(as_owner):
    refused = as_owner.post(PASTE, {"pasted": "no call"}, headers=HX)
    assert (refused.status_code, refused["Content-Type"]) == (422, "text/plain; charset=utf-8")
    assert "No call to fal was found" in text(refused)
    assert as_owner.post(PASTE, {"pasted": "acme/app"}, headers=HX).status_code == 204


@pytest.mark.parametrize("value", [HOSTILE, '"><b>', "</textarea><b>"])
def test_values_stay_text(as_owner, value):
    literal = json.dumps(value)
    snippet = f'fal.run("acme/app", {{input: {{a: {literal}, [{literal}]: f(), b: g()}}}})'
    page = as_owner.post(PASTE, {"pasted": snippet}).content.decode()
    assert value not in page


def test_a_viewer_has_no_form_to_fill_in(as_viewer):
    assert as_viewer.post(PASTE, {"pasted": "acme/app"}).status_code == 403


def test_the_refusal_of_another_team_does_not_show_what_was_pasted(as_owner):
    reply = as_owner.post(PASTE, {"pasted": CURL, "made_for": "999999"})
    assert reply.status_code == 409
    assert KEY[:8] not in reply.content.decode()


def test_the_box_is_on_the_form_and_on_the_endpoints_page(as_owner):
    for path in (reverse("requests:new"), reverse("requests:endpoints")):
        page = text(as_owner.get(path))
        assert f'action="{PASTE}"' in page
        assert 'name="pasted"' in page


def test_an_older_draft_does_not_take_its_place(as_owner):
    assert "data-pasted" in text(as_owner.post(PASTE, {"pasted": "acme/app"}))
    assert "data-pasted" not in text(as_owner.get(reverse("requests:new")))

"""The forms of all documents of the sandbox in a browser: what a user fills in is the input, and nothing else.

One bare page draws each form as the server does and drives its controls.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page

from requests_app.catalogue.document import Document
from requests_app.catalogue.fields import MISSING, Field
from requests_app.catalogue.kinds import MEDIA
from requests_app.catalogue.store import Entry, Known
from requests_app.sandbox.models import ENDPOINTS
from requests_app.sandbox.openapi import document as sandbox_document
from requests_app.views.endpoint_form import context_of
from tests import sampling
from tests.browser.conftest import SITE
from tests.generated import drawn_inputs

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRIVER = Path(__file__).with_name("form_driver.js").read_text()
EXAMPLES = sampling.count("FORM_EXAMPLES", 20)
# Spellings that a parser would change.
NUMBERS = ["7.50", "1E2", "9007199254740993", "-0.0", "0.1000000000000000055", "12e+0"]


@cache
def known(endpoint_id: str) -> Known:
    return Known(Document(sandbox_document(ENDPOINTS[endpoint_id], "http://fal.test")))


def drive(page: Page, endpoint_id: str, body: str, argument: Any) -> Any:
    """The body's value in a page with the endpoint's form; it sees `form`, `text`, the driver and `given`."""
    html = render_to_string("form/_fields.html", context_of(Entry(endpoint_id, known(endpoint_id))))
    script = f"""async ([html, given]) => {{
      const {{ SchemaForm, placeOf }} = await import("{SITE}/form/fields.js");
      document.body.innerHTML = `<textarea id="text"></textarea>${{html}}`;
      const text = document.getElementById("text");
      const root = document.querySelector("[data-schema-form]");
      const form = new SchemaForm(root, text);
      {DRIVER}
      return (() => {{ {body} }})();
    }}"""
    return page.evaluate(script, [html, argument])


def example(field: Field) -> Any:
    value = field.example if field.example is not MISSING else field.default
    if value is not MISSING:
        return value
    assert field.kind in MEDIA, field.path
    return "https://fal.test/x.png"


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_the_required_fields_alone_are_the_input(page: Page, endpoint_id: str) -> None:
    wanted = {f.name: example(f) for f in known(endpoint_id).fields if f.required and not f.hidden}
    text = drive(page, endpoint_id, "fillAll(given); return text.value;", wanted)
    assert json.loads(text or "{}") == wanted
    assert list(json.loads(text or "{}")) == list(wanted)


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_every_field_takes_its_default_and_gives_it_back_by_reset(
    page: Page, endpoint_id: str
) -> None:
    fields = [f for f in known(endpoint_id).fields if not f.hidden and not f.frozen]
    wanted = {f.name: f.default for f in fields if f.default not in (MISSING, None, [], "")}
    body = "fillAll(given); const filled = text.value; resetAll(); return [filled, text.value];"
    filled, after = drive(page, endpoint_id, body, wanted)
    assert json.loads(filled or "{}") == wanted
    assert json.loads(after or "{}") == {}


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_generated_inputs_are_valid_and_pass_through_the_form_unchanged(
    page: Page, endpoint_id: str
) -> None:
    document = known(endpoint_id).document
    schema = {**(document.input_schema() or {}), "components": document.root["components"]}
    values = drawn_inputs(schema, max(EXAMPLES, 3))
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    validator = known(endpoint_id).validator
    assert [text for text in texts if validator.problems(json.loads(text))] == []
    assert drive(page, endpoint_id, "return given.map(touched);", texts) == texts


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_numbers_pass_through_the_form_letter_for_letter(page: Page, endpoint_id: str) -> None:
    names = [json.dumps(field.name) for field in known(endpoint_id).fields]
    texts = ["{" + ", ".join(f"{name}: {number}" for name in names) + "}" for number in NUMBERS]
    assert drive(page, endpoint_id, "return given.map(touched);", texts) == texts


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_each_sentence_stands_at_its_field(page: Page, endpoint_id: str) -> None:
    wrong = {f.name: [[{"no": "such"}]] for f in known(endpoint_id).fields if not f.hidden}
    problems = [
        {"path": one.path, "message": one.message}
        for one in known(endpoint_id).validator.problems(wrong)
    ]
    body = "show(given.text); return [form.mark(given.problems), marked()];"
    argument = {"text": json.dumps(wrong), "problems": problems}
    lost, told = drive(page, endpoint_id, body, argument)
    assert lost == []
    assert sorted(told) == sorted({"/" + one["path"].split("/")[1] for one in problems})

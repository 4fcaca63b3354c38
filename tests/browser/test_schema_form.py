"""The form of an endpoint's schema: two views of one text, nothing sent that was left alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.workspace import made
from tests.process.serving import Serving

pytestmark = pytest.mark.browser


def field(page: Page, name: str) -> Locator:
    return page.locator(f"[data-schema-form] [data-name={name}]").first


def text(page: Page) -> str:
    return page.locator("#id_input").input_value()


@pytest.fixture
def strict(open_page: OpenPage) -> Page:
    """The form of `sandbox/strict`, empty, everything unfolded."""
    page = open_page("/requests/new/")
    page.get_by_label("Endpoint").fill("sandbox/strict")
    expect(field(page, "prompt")).to_be_visible()
    page.get_by_role("button", name="JSON", exact=True).click()
    page.locator("#id_input").fill("{}")
    page.get_by_role("button", name="Form", exact=True).click()
    page.locator("details.schema-more").evaluate("details => { details.open = true; }")
    return page


def test_only_what_was_touched_is_in_the_input(strict: Page) -> None:
    field(strict, "prompt").locator("textarea").fill('a "quoted" word')
    assert text(strict) == '{\n  "prompt": "a \\"quoted\\" word"\n}'


def test_a_reset_takes_the_value_away_again(strict: Page) -> None:
    field(strict, "num_images").locator("[data-slider]").fill("3")
    assert '"num_images": 3' in text(strict)
    field(strict, "num_images").locator("[data-reset]").click()
    assert "num_images" not in text(strict)
    expect(field(strict, "num_images").locator("[data-reset]")).to_be_hidden()


def test_digits_are_sent_as_they_were_typed(strict: Page) -> None:
    field(strict, "guidance_scale").locator("[data-input]").fill("7.50")
    assert '"guidance_scale": 7.50' in text(strict)


def test_a_choice_is_made_by_button_and_by_key(strict: Page) -> None:
    drawing = field(strict, "style").get_by_role("radio", name="drawing")
    drawing.focus()
    strict.keyboard.press("Space")
    assert '"style": "drawing"' in text(strict)
    expect(drawing).to_have_attribute("aria-checked", "true")


def test_a_size_of_ones_own_has_its_members(strict: Page) -> None:
    size = field(strict, "image_size")
    size.locator("select").first.select_option("custom")
    expect(size.locator("[data-name=width]")).to_be_visible()
    size.locator("[data-name=width] input[data-input]").fill("640")
    assert '"width": 640' in text(strict)
    size.locator("select").first.select_option('"landscape"')
    assert '"image_size": "landscape"' in text(strict)


def test_a_text_typed_as_json_is_shown_in_the_form(strict: Page) -> None:
    strict.get_by_role("button", name="JSON", exact=True).click()
    strict.locator("#id_input").fill('{"prompt": "from json", "num_images": 2, "unknown": 1e400}')
    strict.get_by_role("button", name="Form", exact=True).click()
    expect(field(strict, "prompt").locator("textarea")).to_have_value("from json")
    expect(field(strict, "num_images").locator("input[data-input]")).to_have_value("2")
    field(strict, "prompt").locator("textarea").fill("changed")
    assert text(strict) == '{"prompt": "changed", "num_images": 2, "unknown": 1e400}'


def test_a_text_that_is_no_object_stays_in_the_json_view(strict: Page) -> None:
    strict.get_by_role("button", name="JSON", exact=True).click()
    strict.locator("#id_input").fill('{"prompt": ')
    strict.get_by_role("button", name="Form", exact=True).click()
    expect(strict.locator("#view-refused")).to_be_visible()
    expect(strict.locator("#id_input")).to_be_visible()


def test_what_the_schema_refuses_stands_at_its_field_and_may_be_sent_all_the_same(
    strict: Page,
) -> None:
    field(strict, "num_images").locator("input[data-input]").fill("9")
    strict.keyboard.press("Control+Enter")
    expect(field(strict, "num_images").locator("[data-problem]").first).to_have_text(
        "Must be 4 or less."
    )
    expect(field(strict, "prompt").locator("[data-problem]").first).to_have_text(
        "This field is required."
    )
    field(strict, "prompt").locator("textarea").fill("a lighthouse")
    strict.get_by_label("Send it all the same").check()
    strict.keyboard.press("Control+Enter")
    expect(made(strict)).to_have_count(1)


def test_an_endpoint_without_a_schema_says_so_and_takes_json(open_page: OpenPage) -> None:
    page = open_page("/requests/new/")
    page.get_by_label("Endpoint").fill("acme/unknown")
    expect(page.locator("[data-no-schema]")).to_contain_text("no schema")
    expect(page.locator("#id_input")).to_be_visible()


def test_an_accepted_input_leaves_no_field_marked(strict: Page) -> None:
    strict.keyboard.press("Control+Enter")
    expect(strict.locator("#schema-view [aria-invalid=true]")).to_have_count(1)
    field(strict, "prompt").get_by_label("Prompt").fill("a lighthouse")
    strict.keyboard.press("Control+Enter")
    expect(made(strict)).to_have_count(1)
    expect(strict.locator("#schema-view [aria-invalid=true]")).to_have_count(0)


def test_every_control_has_an_accessible_name(strict: Page) -> None:
    nameless = strict.evaluate(
        """() => [...document.querySelectorAll("#schema-view :is(input, select, textarea, [role=radiogroup])")]
          .filter((one) => !one.hidden && !one.getAttribute("aria-label") && !one.labels?.length).map((one) => one.outerHTML)"""
    )
    assert nameless == []


CHANGE = """
import hashlib, json
from django.utils import timezone
from requests_app.catalogue import store
from requests_app.fal.endpoints import EndpointId
from requests_app.models import Endpoint, EndpointDocument, Team, TeamEndpoint
name, now = "sandbox/echo", timezone.now()
store.refresh(EndpointId.parse(name), now=now)
row = Endpoint.objects.get(endpoint_id=name)
root = json.loads(bytes(row.document.raw))
schema = root["components"]["schemas"][max(s for s in root["components"]["schemas"] if s.endswith("Input"))]
schema["properties"]["volume"] = {"type": "integer"}
raw = json.dumps(root).encode()
old = store.keep_document(name, raw, now)
Endpoint.objects.filter(pk=row.pk).update(changed_from=old, changed_at=now)
TeamEndpoint.objects.get_or_create(team=Team.objects.get(name="Navy"), endpoint_id=name, is_added=True)
"""


def test_a_changed_schema_is_announced_in_the_form_and_dismissed_without_losing_the_input(
    open_page: OpenPage, installation: Serving
) -> None:
    installation.manage("shell", "-c", CHANGE)
    page = open_page("/requests/new/")
    page.get_by_label("Endpoint").fill("sandbox/echo")
    notice = page.locator("#change-news")
    expect(notice).to_contain_text("gone: volume")
    field(page, "message").locator("textarea, input").first.fill("typed before")
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    assert '"typed before"' in text(page)
    expect(made(page)).to_have_count(0)
    page.reload()
    expect(field(page, "message")).to_be_visible()
    expect(notice).to_have_count(0)

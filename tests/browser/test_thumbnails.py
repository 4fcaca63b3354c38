"""A list of pictures in a browser: placeholders, then thumbnails, in the same places and few bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

PICTURES = 50
MOST_BYTES = 300_000
LONG_MS = 60_000

# Rows that have ended, each with a picture of the sandbox's, or with one in the output itself.
MAKE = """
import json
from django.utils import timezone
from requests_app import lifecycle
from requests_app.models import FalRequest, Membership, Thumbnail
from requests_app.request_input import Draft
from django.conf import settings
member = Membership.objects.get(user__username="grace")
def make(number, picture):
    draft = Draft("sandbox/thumbs", "queue", json.dumps({"prompt": f"picture {number}"}), {})
    row = lifecycle.create(draft, team=member.team, person=member.user, now=timezone.now(), again_of=None)
    body = json.dumps({"image": picture}).encode()
    FalRequest.objects.filter(pk=row.pk).update(
        status="completed", ended_at=timezone.now(), due_at=None, output=body, output_size=len(body),
        output_type="application/json",
        thumbnail_url=picture if picture.startswith("http") else "data:",
    )
"""


@pytest.fixture(scope="module")
def pictures(installation: Serving) -> str:
    """The list's address for rows with pictures."""
    base = f"http://127.0.0.1:{installation.environment['SANDBOX_PORT']}/cdn/samples"
    code = f"{MAKE}\nfor number in range({PICTURES}): make(number, f'{base}/walk.jpg?n={{number}}')"
    installation.manage("shell", "-c", code)
    return "/requests/?q=endpoint%3Asandbox%2Fthumbs"


def watch(page: Page) -> list[dict[str, Any]]:
    """What is loaded from now on."""
    loaded: list[dict[str, Any]] = []
    wire = page.context.new_cdp_session(page)
    wire.on("Network.loadingFinished", lambda news: loaded.append(news))
    wire.send("Network.enable")
    return loaded


def scroll_through(page: Page) -> None:
    """See every row, so that every picture is asked for."""
    page.evaluate(
        """async () => {
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          for (const row of document.querySelectorAll("tr.row")) {
            row.scrollIntoView();
            await frame();
            await frame();
          }
          scrollTo(0, 0);
        }"""
    )


def all_are_drawn(page: Page) -> None:
    page.wait_for_function(
        """(most) => {
          const drawn = [...document.querySelectorAll("img.row-thumb")].filter((img) => img.naturalWidth === 96);
          return drawn.length === most;
        }""",
        arg=PICTURES,
        timeout=LONG_MS,
    )


@pytest.mark.long
def test_a_list_of_pictures_shows_thumbnails_and_stays_light(
    open_page: OpenPage, pictures: str
) -> None:
    page = open_page(pictures)
    expect(page.locator("tr.row")).to_have_count(PICTURES)
    before = page.locator("tr.row").first.bounding_box()
    scroll_through(page)
    expect(page.locator("[data-thumbnail]")).to_have_count(0, timeout=LONG_MS)
    scroll_through(page)
    all_are_drawn(page)
    assert page.locator("tr.row").first.bounding_box() == before
    # By another browser, which keeps nothing yet
    loaded: list[dict[str, Any]] = []
    fresh = open_page(pictures, before=lambda page: loaded.append(watch(page)))  # type: ignore[arg-type]
    expect(fresh.locator("img.row-thumb")).to_have_count(PICTURES)
    scroll_through(fresh)
    all_are_drawn(fresh)
    weight = sum(news["encodedDataLength"] for news in loaded[0])  # type: ignore[call-overload]
    assert weight < MOST_BYTES, f"{weight:,.0f} bytes"


def test_a_picture_that_cannot_be_had_leaves_its_place_and_the_reason(
    open_page: OpenPage, installation: Serving
) -> None:
    base = f"http://127.0.0.1:{installation.environment['SANDBOX_PORT']}/cdn/samples"
    code = f"{MAKE.replace('sandbox/thumbs', 'sandbox/lost')}\nmake(1, {json.dumps(base + '/none.jpeg')})"
    installation.manage("shell", "-c", code)
    page = open_page("/requests/?q=endpoint%3Asandbox%2Flost")
    place = page.locator("span.row-thumb")
    expect(place).to_have_attribute(
        "title", "The picture is no longer there: HTTP 404.", timeout=LONG_MS
    )
    box = place.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (32, 32)


def test_without_scripts_the_places_are_there_and_made_ones_show(
    open_page: OpenPage, pictures: str
) -> None:
    page = open_page(pictures, javascript=False)
    expect(page.locator(".row-thumb")).to_have_count(PICTURES)


def test_a_picture_in_the_output_itself_has_a_thumbnail(
    open_page: OpenPage, installation: Serving
) -> None:
    dot = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q"
        "DwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    code = f"{MAKE.replace('sandbox/thumbs', 'sandbox/inline')}\nmake(1, {json.dumps(dot)})"
    installation.manage("shell", "-c", code)
    page = open_page("/requests/?q=endpoint%3Asandbox%2Finline")
    expect(page.locator("img.row-thumb")).to_have_count(1, timeout=LONG_MS)
    page.goto("/requests/new/?endpoint=sandbox/inline")
    expect(page.locator(".run-look img")).to_have_count(1, timeout=LONG_MS)

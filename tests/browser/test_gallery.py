"""The gallery in a browser: opened, walked and chosen by keys, across its pages; news wait and nothing jumps."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

LONG_MS = 60_000
PICTURES = 60  # more than a page
PATH = "/requests/gallery/?q=endpoint%3Asandbox%2Fgallery"

# Ended requests as fal would have left them: pictures of the sandbox's, and one of each other kind last.
MAKE = """
import json
from django.utils import timezone
from requests_app import lifecycle
from requests_app.display.summary import of_output
from requests_app.models import FalRequest, Membership
from requests_app.request_input import Draft
from requests_app.search.index import write_entries
member = Membership.objects.get(user__username="grace")
def make(name, output):
    draft = Draft("sandbox/gallery", "queue", json.dumps({"prompt": name}), {})
    row = lifecycle.create(draft, team=member.team, person=member.user, now=timezone.now(), again_of=None)
    body = json.dumps(output).encode()
    FalRequest.objects.filter(pk=row.pk).update(
        status="completed", ended_at=timezone.now(), due_at=None, output=body, output_size=len(body),
        output_type="application/json", **of_output({"output": body}),
    )
    write_entries([row.pk])
"""


@pytest.fixture(scope="module")
def made(installation: Serving) -> None:
    """Sixty pictures, then a video, a mesh and a picture that is gone."""
    base = f"http://127.0.0.1:{installation.environment['SANDBOX_PORT']}/cdn/samples"
    lines = [
        f"for n in range({PICTURES}): make(f'picture {{n}}', {{'image': {{'url': f'{base}/walk.jpg?n={{n}}'}}}})",
        f"make('a mesh', {{'model_mesh': {{'url': '{base}/teapot.glb'}}}})",
        f"make('a video', {{'video': {{'url': '{base}/waves.webm'}}, 'seed': 77}})",
        f"make('two', {{'images': [{{'url': '{base}/walk.jpg?n=a'}}, {{'url': '{base}/walk.jpg?n=b'}}]}})",
    ]
    installation.manage("shell", "-c", "\n".join([MAKE, *lines]))


@pytest.mark.usefixtures("made")
def test_every_picture_of_an_output_comes_small(open_page: OpenPage) -> None:
    page = open_page(PATH)
    for number, address in enumerate((r"/thumbnail/320/\?v=\w+$", r"/thumbnail/320/\?v=\w+&n=1$")):
        picture = page.locator(".tile-face").nth(number).locator("img")
        expect(picture).to_have_attribute("src", re.compile(address), timeout=LONG_MS)
        expect(picture).to_have_js_property("complete", value=True, timeout=LONG_MS)
        assert 0 < picture.evaluate("img => img.decode().then(() => img.naturalWidth)") <= 320


@pytest.mark.usefixtures("made")
def test_it_is_walked_by_keys_across_kinds_and_pages(open_page: OpenPage) -> None:
    page = open_page(PATH)
    page.wait_for_load_state("networkidle")
    faces = page.locator(".tile-face")
    faces.first.focus()
    page.keyboard.press("j")
    expect(faces.nth(1)).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(".tile .row-check").nth(1)).to_be_checked()
    page.keyboard.press("Enter")
    box = page.locator("dialog.lightbox")
    said = box.get_by_role("status")
    expect(said).to_have_text(re.compile("^two · 2 of "))
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text(re.compile("^a video · 3 of "))
    expect(box.locator("video")).to_be_visible()
    expect(box.locator(".facts")).to_be_hidden()
    page.keyboard.press("i")
    expect(box.locator(".facts")).to_contain_text("77")
    expect(box.get_by_role("link", name="Open the request")).to_have_attribute(
        "href", re.compile(r"/requests/[0-9a-f-]{36}/\?q=endpoint")
    )
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text(re.compile("^a mesh · 4 of "))
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text(re.compile(f" · 49 of {PICTURES + 4}"), timeout=LONG_MS)
    page.keyboard.press("End")
    expect(said).to_have_text(f"picture 0 · {PICTURES + 4} of {PICTURES + 4}", timeout=LONG_MS)
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(faces.last).to_be_focused()


@pytest.mark.usefixtures("made")
def test_more_comes_by_scrolling_until_all_is_there(open_page: OpenPage) -> None:
    page = open_page(PATH)
    page.wait_for_load_state("networkidle")
    page.locator(".tile").last.scroll_into_view_if_needed()
    page.mouse.wheel(0, 20_000)
    expect(page.locator(".tile")).to_have_count(PICTURES + 4, timeout=LONG_MS)
    expect(page.locator(".pager a[rel=next]")).to_have_count(0)
    ids = page.locator(".tile").evaluate_all("tiles => tiles.map((tile) => tile.id)")
    assert len(set(ids)) == len(ids)


@pytest.mark.usefixtures("made")
def test_ticked_tiles_are_compared_and_acted_on_as_requests(open_page: OpenPage) -> None:
    page = open_page(PATH)
    page.wait_for_load_state("networkidle")
    checks = page.locator(".tile .row-check")
    checks.nth(0).check()
    compare = page.get_by_role("link", name="Compare")
    expect(compare).to_be_hidden()
    checks.nth(1).check()  # of the same request
    expect(compare).to_be_hidden()
    checks.nth(2).check()
    expect(page.locator("[data-selected-count]")).to_have_text("3 ticked")
    compare.click()
    page.wait_for_url("**/requests/compare/?**")
    expect(page.locator(".compare-column")).to_have_count(2)


@pytest.mark.usefixtures("made")
def test_without_scripts_it_is_a_page_of_links(open_page: OpenPage) -> None:
    page = open_page(PATH, javascript=False)
    before = page.locator(".tile").count()
    assert before >= 48
    assert page.locator(".tile-face").first.get_attribute("href")
    page.locator(".pager a[rel=next]").click()
    expect(page.locator(".tile")).to_have_count(PICTURES + 4 - before)
    page.get_by_role("link", name="Table").click()
    assert page.url.endswith("/requests/?q=endpoint%3Asandbox%2Fgallery")


@pytest.fixture
def http(installation: Serving) -> Iterator[httpx.Client]:
    token = installation.manage("create_token", "--user=grace", "--team=Navy")
    with httpx.Client(
        base_url=installation.url, headers={"Authorization": f"Bearer {token}"}, timeout=90
    ) as client:
        yield client


def test_what_is_new_waits_behind_a_button(open_page: OpenPage, http: httpx.Client) -> None:
    def submit() -> None:
        size = {"width": 64, "height": 64}
        given = {"prompt": "gallerynews", "num_inference_steps": 1, "image_size": size}
        body = {"endpoint_id": "sandbox/image", "input": given, "allow_duplicate": True}
        assert http.post("/api/v1/requests/?wait=60", json=body).is_success

    page = open_page("/requests/gallery/?q=gallerynews")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("No picture, video or file matches")).to_be_visible()
    submit()
    expect(page.locator(".tile")).to_have_count(1, timeout=LONG_MS)
    submit()
    pill = page.locator("#new-rows")
    expect(pill).to_have_text("+1 new", timeout=LONG_MS)
    expect(page.locator(".tile")).to_have_count(1)
    pill.click()
    expect(page.locator(".tile")).to_have_count(2)
    expect(pill).to_be_hidden()


@pytest.mark.usefixtures("made")
def test_a_blurred_picture_shows_while_it_is_pointed_at(open_page: OpenPage) -> None:
    page = open_page(PATH)
    page.wait_for_load_state("networkidle")
    blur = page.get_by_role("button", name="Blur")
    picture = page.locator(".tile img").first
    expect(picture).to_be_visible(timeout=LONG_MS)
    blur.click()
    expect(blur).to_have_attribute("aria-pressed", "true")
    try:
        expect(picture).to_have_css("filter", "blur(18px)")
        page.reload()
        expect(picture).to_have_css("filter", "blur(18px)")
        page.locator(".tile-face").first.hover()
        expect(picture).to_have_css("filter", "none")
    finally:  # the log-in is shared
        page.mouse.move(0, 0)
        page.wait_for_load_state("networkidle")
        blur.click()
        expect(blur).to_have_attribute("aria-pressed", "false")

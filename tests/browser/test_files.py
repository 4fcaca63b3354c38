"""Files into the form: how they come, what is refused before a byte leaves, what is seen of one on its way."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from tests.browser.conftest import OpenPage
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

KONTEXT = "/requests/new/?endpoint=sandbox/flux/kontext"
LIST = "/requests/new/?endpoint=sandbox/mesh/multi-image-to-3d"
UPLOADS = re.compile(r"/cdn/upload/")
DRAFT_HAS = """(url) => Object.keys(localStorage).some((name) => localStorage.getItem(name).includes(url))"""


def picture(width: int = 300, height: int = 200, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind)
    return out.getvalue()


def a_file(name: str = "boat.png", mime: str = "image/png", data: bytes | None = None) -> Any:
    return {"name": name, "mimeType": mime, "buffer": picture() if data is None else data}


def field(page: Page, name: str = "image_url") -> Locator:
    return page.locator(f"[data-schema-form] [data-name={name}]").first


def choose(page: Page, *files: Any, name: str = "image_url") -> None:
    field(page, name).locator("[data-file]:not([capture])").first.set_input_files(list(files))


def value(page: Page, name: str = "image_url") -> str:
    return field(page, name).locator("[data-input]").first.input_value()


def uploaded(page: Page, name: str = "image_url") -> str:
    expect(field(page, name).locator("[data-input]").first).to_have_value(
        re.compile(r"/cdn/files/")
    )
    return value(page, name)


def counted(page: Page) -> list[Request]:
    """The requests that start an upload or carry bytes."""
    seen: list[Request] = []
    page.on(
        "request",
        lambda one: one.method in ("PUT", "POST") and "/up" in one.url and seen.append(one),
    )
    return seen


@pytest.fixture
def form(open_page: OpenPage) -> Page:
    """An endpoint with one picture, its limits, and more."""
    page = open_page(KONTEXT)
    expect(field(page)).to_be_visible()
    return page


# --- how files come --------------------------------------------------------------------------------


def test_a_picked_file_goes_to_fals_storage_and_its_address_into_the_input(form: Page) -> None:
    seen = counted(form)
    choose(form, a_file())
    url = uploaded(form)
    assert f'"image_url": "{url}"' in form.locator("#id_input").input_value()
    assert form.request.get(url).body() == picture()
    shown = field(form).locator("[data-preview]")
    expect(shown.locator("img")).to_have_js_property("naturalWidth", 300)
    expect(shown).to_contain_text("boat.png")
    expect(shown).to_contain_text("300 \N{MULTIPLICATION SIGN} 200")
    start, sent = (one for one in seen)
    assert start.url.endswith("/uploads/")
    assert UPLOADS.search(sent.url)
    assert "authorization" not in sent.headers
    assert "cookie" not in sent.headers


@pytest.mark.parametrize("way", ["drop", "paste", "paste beside"])
def test_a_file_is_dropped_or_pasted(form: Page, way: str) -> None:
    target = "body" if way == "paste beside" else "[data-name=image_url] [data-pick]"
    form.evaluate(
        """([selector, type, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "boat.png", { type: "image/png" }));
            const target = document.querySelector(selector);
            const about = { bubbles: true, cancelable: true };
            const event = type === "drop"
                ? new DragEvent("drop", { ...about, dataTransfer: data })
                : new ClipboardEvent("paste", { ...about, clipboardData: data });
            target.dispatchEvent(event);
        }""",
        [target, way.split()[0], list(picture())],
    )
    uploaded(form)


def test_a_dragged_address_needs_no_upload(form: Page) -> None:
    seen = counted(form)
    form.route("https://v3.fal.media/**", lambda route: route.fulfill(body=picture()))
    form.evaluate(
        """() => {
            const data = new DataTransfer();
            data.setData("text/uri-list", "https://v3.fal.media/files/a.png");
            document.querySelector("[data-name=image_url] [data-pick]").dispatchEvent(
                new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
        }"""
    )
    assert value(form) == "https://v3.fal.media/files/a.png"
    assert seen == []


def test_a_small_file_can_be_written_as_a_data_uri(form: Page) -> None:
    seen = counted(form)
    field(form).get_by_label("As data URI").check()
    choose(form, a_file())
    expect(field(form).locator("[data-input]")).to_have_value(
        re.compile(r"^data:image/png;base64,")
    )
    assert seen == []
    choose(form, a_file("large.bin.png", data=picture() + b"\0" * 300_000))
    expect(field(form).get_by_role("alert")).to_contain_text("a data URI is for up to")
    assert seen == []


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (a_file("notes.txt", "text/plain", b"words"), "This field takes an image"),
        (a_file("clip.mp4", "video/mp4", b"\0\0\0\x18ftypmp42"), "This field takes an image"),
        (a_file("fake.png", "image/png", b"these are words, no picture"), "holds something else"),
        (a_file("empty.png", "image/png", b""), "is empty"),
        (a_file("thin.png", data=picture(60, 200)), "Its width is 60 px; at least 64 px"),
        (a_file("wide.png", data=picture(1000, 100)), "Its width / height is 10; at most 4"),
    ],
    ids=["text", "video", "disguised", "empty", "narrow", "panorama"],
)
def test_a_file_that_does_not_fit_is_refused_before_a_byte_leaves(
    form: Page, file: Any, words: str
) -> None:
    seen = counted(form)
    choose(form, file)
    expect(field(form).get_by_role("alert")).to_contain_text(words)
    assert (value(form), seen) == ("", [])
    field(form).get_by_role("button", name="Dismiss").click()
    expect(field(form).get_by_role("alert")).to_have_count(0)


def test_a_file_over_the_schemas_size_is_refused(form: Page, tmp_path: Path) -> None:
    seen = counted(form)
    heavy = tmp_path / "heavy.png"
    heavy.write_bytes(picture() + b"\0" * 20_971_520)
    field(form).locator("[data-file]:not([capture])").set_input_files(heavy)
    said = field(form).get_by_role("alert")
    expect(said).to_contain_text("“heavy.png” does not fit. It has 20,972,")
    expect(said).to_contain_text("at most 20,971,520 bytes is taken")
    assert (value(form), seen) == ("", [])


# --- on its way ------------------------------------------------------------------------------------


def held(page: Page) -> list[Route]:
    """Uploads of bytes wait for the test."""
    waiting: list[Route] = []
    page.route(UPLOADS, lambda route: waiting.append(route))
    return waiting


def test_an_upload_is_cancelled_and_sent_again(form: Page) -> None:
    held(form)
    choose(form, a_file())
    panel = field(form).locator("[data-transfer-place]")
    expect(panel.get_by_role("progressbar")).to_be_visible()
    expect(panel).to_contain_text("boat.png")
    form.get_by_role("button", name="Submit").click()
    expect(form.locator(".toast-error")).to_contain_text("still on its way")
    panel.get_by_role("button", name="Cancel").click()
    expect(panel).to_contain_text("Nothing was put into the field")
    assert value(form) == ""
    form.unroute(UPLOADS)
    panel.get_by_role("button", name="Send again").click()
    uploaded(form)
    expect(panel).to_be_hidden()


@pytest.fixture
def failing(window: Browser, installation: Serving, cookies: Any) -> Iterator[Page]:
    """As `form`; a failed load, which the test brings about, is no trouble of the page."""
    context = window.new_context(base_url=installation.url)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(KONTEXT)
    expect(field(page)).to_be_visible()
    yield page
    context.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 503, "json": {"detail": "fal could not be reached."}}, "could not be reached"),
        ({"status": 502, "json": {"detail": "The key may not."}}, "The key may not."),
        ({"status": 413, "json": {"detail": "Too large."}}, "Too large."),
        ({"status": 500, "body": "<html>"}, "refused the upload (500)"),
    ],
)
def test_a_refusal_is_told_at_the_field_and_retried(failing: Page, answer: Any, words: str) -> None:
    failing.route("**/uploads/", lambda route: route.fulfill(**answer))
    choose(failing, a_file())
    expect(field(failing).get_by_role("alert")).to_contain_text(words)
    failing.unroute("**/uploads/")
    field(failing).get_by_role("button", name="Retry").click()
    uploaded(failing)


def in_small_parts(route: Route) -> None:
    """The server's answer for a file that is too large for one PUT, with parts of 100 bytes."""
    reply = route.fetch()
    route.fulfill(response=reply, json=reply.json() | {"part_size": 100})


def test_a_large_file_goes_in_parts_and_only_what_failed_is_sent_again(failing: Page) -> None:
    data = picture(64, 64, "JPEG")[:350].ljust(350, b"\0")
    sent: list[str] = []
    failures = iter(["fail"] * 3)

    def part(route: Route) -> None:
        step = route.request.url.split("?")[0].rsplit("/", 1)[1]
        if step == "2" and next(failures, ""):
            route.fulfill(status=500, headers={"Access-Control-Allow-Origin": "*"})
        else:
            sent.append(step)
            route.continue_()

    failing.route("**/uploads/", in_small_parts)
    failing.route(UPLOADS, part)
    choose(failing, a_file("boat.jpg", "image/jpeg", data))
    panel = field(failing).locator("[data-transfer-place]")
    expect(panel.get_by_role("alert")).to_contain_text("storage failed (500)")
    assert sent == ["1"]
    panel.get_by_role("button", name="Retry").click()
    assert failing.request.get(uploaded(failing)).body() == data
    assert sent == ["1", "2", "3", "4", "complete"]


# --- lists, phones, outputs ------------------------------------------------------------------------


def test_several_files_fill_a_list_in_their_order(open_page: OpenPage) -> None:
    page = open_page(LIST)
    zone = field(page, "image_urls").locator("[data-media-list]")
    files = [a_file(f"{number}.png", data=picture(100 + number, 100)) for number in (1, 2)]
    zone.locator(":scope > .media-tools [data-file]").set_input_files(files)
    inputs = zone.locator("[data-input]")
    expect(inputs).to_have_count(2)
    for number in (0, 1):
        expect(inputs.nth(number)).to_have_value(re.compile("/cdn/files/"))
    widths = [
        Image.open(io.BytesIO(page.request.get(one.input_value()).body())).width
        for one in inputs.all()
    ]
    assert widths == [101, 102]


def test_a_file_on_its_way_stays_with_its_item(open_page: OpenPage) -> None:
    page = open_page(LIST)
    zone = field(page, "image_urls").locator("[data-media-list]")
    waiting = held(page)
    zone.get_by_role("button", name="Add").click()
    zone.locator(":scope > .media-tools [data-file]").set_input_files([a_file()])
    expect(zone.get_by_role("progressbar")).to_be_visible()
    zone.locator("[data-item]").first.locator("[data-remove]").click()
    expect(zone.locator("[data-item]")).to_have_count(1)
    expect(zone.get_by_role("progressbar")).to_be_visible()
    while not waiting:  # the bar stands before the bytes leave
        page.wait_for_timeout(20)
    waiting[0].continue_()
    expect(zone.locator("[data-input]")).to_have_value(re.compile("/cdn/files/"))


def test_an_output_is_used_as_an_input(open_page: OpenPage) -> None:
    url = "https://v3.fal.media/files/a.png"
    page = open_page(
        f"/requests/new/?endpoint=sandbox/flux/inpaint&use={quote(url, safe='')}",
        before=lambda page: page.route("https://v3.fal.media/**", lambda route: route.fulfill(
            body=picture(), content_type="image/png")),
    )  # fmt: skip
    expect(field(page).locator("[data-input]")).to_have_value(url)
    notice = page.locator("[data-carried]")
    expect(notice).to_contain_text("Put into “")
    assert "use=" not in page.url
    notice.get_by_role("button").click()
    expect(field(page, "mask_url").locator("[data-input]")).to_have_value(url)


def test_a_file_waits_for_an_endpoint_that_takes_it(open_page: OpenPage) -> None:
    url = "https://elsewhere.example/a.png"
    page = open_page(f"/requests/new/?endpoint=sandbox/image&use={quote(url, safe='')}")
    expect(page.locator("[data-carried]")).to_contain_text("takes no such file")
    page.get_by_label("Endpoint").fill("sandbox/flux/kontext")
    expect(field(page).locator("[data-input]")).to_have_value(url)


@pytest.mark.parametrize("use", ["javascript:alert(1)", "nonsense", "//x/a.png", ""])
def test_what_is_no_address_is_not_put_anywhere(open_page: OpenPage, use: str) -> None:
    page = open_page(f"{KONTEXT}&use={quote(use, safe='')}")
    expect(field(page)).to_be_visible()
    assert value(page) == ""


def test_a_reload_has_the_file_still(form: Page) -> None:
    choose(form, a_file())
    url = uploaded(form)
    form.wait_for_function(DRAFT_HAS, arg=url)
    form.reload()
    expect(field(form).locator("[data-input]")).to_have_value(url)
    expect(field(form).locator("[data-preview]")).to_contain_text("boat.png")


def test_a_phone_offers_its_camera_and_nothing_is_cut_off(
    window: Browser, installation: Serving, cookies: Any
) -> None:
    context = window.new_context(
        base_url=installation.url, viewport={"width": 390, "height": 800}, has_touch=True,
        is_mobile=True,
    )  # fmt: skip
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(KONTEXT)
    camera = field(page).get_by_role("button", name="Camera")
    expect(camera).to_be_visible()
    with page.expect_file_chooser() as chooser:
        camera.click()
    assert chooser.value.element.get_attribute("capture") == "environment"
    assert chooser.value.element.get_attribute("accept") == "image/*"
    chooser.value.set_files([a_file("a-very-long-name-of-a-picture-" * 4 + ".png")])
    uploaded(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    context.close()

"""The merged view of a stream in a real browser: its text, pictures and values, and what it tells of the stream."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_replay import lines, recorded
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgAQAAAP//AwAABgAFV7+r1AAAAABJRU5ErkJggg=="
# Tells that the record of the page at `path` is full.
FULL = """
from django.utils import timezone
from requests_app import lifecycle
from requests_app.models import FalRequest
row = FalRequest.objects.get(public_id={path!r}.split("/")[2])
lifecycle.note_record_full(row.pk, "Full after 1 event.", now=timezone.now(), data={{"frame": 1}})
"""


def test_the_first_event_that_reports_an_error_is_named_and_can_be_shown(
    open_page: OpenPage, installation: Serving
) -> None:
    frames = """[{"data": data} for data in
        ('{"output": "a"}', "1", '{"error": "boom"}', '{"output": "a b"}', '{"error": "bang"}')]"""
    page = open_page(recorded(installation, frames))
    notice = page.locator("#stream-error")
    expect(notice).to_contain_text("Event 3 reports an error.")
    slider = page.get_by_label("Moment of the record")
    slider.fill("20")
    expect(notice).to_be_hidden()
    slider.fill("30")
    expect(notice).to_contain_text("Event 3 reports an error.")
    page.get_by_role("button", name="To the end").click()
    notice.get_by_role("button", name="Show it").click()
    expect(page.get_by_role("tab", name="Events")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".frame[aria-current] .frame-number")).to_have_text("#3")
    expect(page.locator(".frame-title")).to_contain_text("Event 3,")
    expect(page.locator(".frame-body .json-tree")).to_contain_text("boom")


def test_a_stream_without_an_error_has_no_word_of_one(
    open_page: OpenPage, installation: Serving
) -> None:
    page = open_page(recorded(installation, """[{"data": '{"output": "a", "error": "none"}'}]"""))
    expect(page.locator("#stream-text")).to_have_text("a")
    expect(page.locator("#stream-error")).to_be_hidden()


def test_a_picture_of_megabytes_inside_an_event_is_seen(
    open_page: OpenPage, installation: Serving
) -> None:
    # Bytes behind the end of a PNG are no part of the picture.
    large = (
        f"""base64.b64encode(base64.b64decode({PICTURE.partition(",")[2]!r}) + bytes(3_000_000))"""
    )
    frames = f"""[{{"data": json.dumps({{"images": [{{"url": "data:image/png;base64," + text}}]}})}}
        for text in ({large}.decode(), {PICTURE.partition(",")[2]!r})]"""
    page = open_page(recorded(installation, frames))
    pictures = page.locator("#stream-images img")
    expect(pictures).to_have_attribute("src", PICTURE)
    page.get_by_role("button", name="One back").click()
    expect(pictures).to_have_attribute("src", re.compile("^.{3000000}"))
    assert pictures.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    page.get_by_role("button", name="To the end").click()
    expect(pictures).to_have_attribute("src", PICTURE)


def test_the_merged_view_shows_the_moment_that_is_chosen(
    open_page: OpenPage, installation: Serving
) -> None:
    large = '"<" + "m" * 100_000 + ">"'  # is fetched by itself
    frames = f"""[{{"data": json.dumps(event), "offset_ms": n * 100.0}} for n, event in enumerate(
        [{{"output": "a"}}, {{"output": "a b"}}, {{"image": {PICTURE!r}}}, {{"output": "a b" + {large}}}])]"""
    page = open_page(recorded(installation, frames))
    text, picture = page.locator("#stream-text"), page.locator("#stream-images img")
    expect(text).to_have_text(re.compile("^a b<m+>$"))
    slider = page.get_by_label("Moment of the record")
    slider.fill("150")
    expect(text).to_have_text("a b")
    expect(page.locator("#stream-events")).to_have_text("2")
    expect(picture).to_have_count(0)
    page.get_by_role("button", name="One on").click()
    expect(picture).to_have_count(1)
    slider.fill("0")
    expect(text).to_have_text("a")
    expect(picture).to_have_count(0)
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    expect(text).to_have_text(re.compile("^a b<m+>$"))
    expect(picture).to_have_count(1)


def test_the_word_that_no_more_comes_is_an_event_and_no_output(
    open_page: OpenPage, installation: Serving
) -> None:
    frames = """[{"data": data} for data in ('{"step": 1}', '{"step": 2}', " [DONE]")]"""
    page = open_page(recorded(installation, frames))
    value = page.locator("#stream-json")
    for count in (3, 2):
        expect(page.locator("#stream-events")).to_have_text(str(count))
        expect(value).to_contain_text("step: 2")
        page.get_by_role("button", name="One back").click()
    expect(value).to_contain_text("step: 1")
    expect(page.locator("#stream-text")).to_be_hidden()
    page.get_by_role("tab", name="Events").click()
    page.get_by_role("button", name="To the end").click()
    expect(lines(page).nth(2)).to_contain_text("[DONE]")


def test_a_stream_that_is_silent_for_long_is_told_to_be_open(
    open_page: OpenPage, installation: Serving
) -> None:
    path = recorded(installation, '[{"data": "{}"}]', status="in_progress")
    page = open_page(path, before=lambda page: page.clock.install())
    expect(page.locator("#stream-events")).to_have_text("1")
    page.clock.fast_forward(8000)
    expect(page.locator("#stream-quiet")).to_have_text(
        re.compile(r"^Nothing came for 8(\.\d)? s; the stream is open\.$")
    )


def test_a_stream_whose_record_is_full_is_not_called_silent(
    open_page: OpenPage, installation: Serving
) -> None:
    path = recorded(installation, '[{"data": "{}"}]', status="in_progress")
    page = open_page(path, before=lambda page: page.clock.install())
    expect(page.locator("#stream-events")).to_have_text("1")
    page.clock.fast_forward(8000)
    expect(page.locator("#stream-quiet")).not_to_be_empty()
    installation.manage("shell", "-v", "0", "-c", FULL.format(path=path))
    page.clock.fast_forward(30_000)
    expect(page.locator("#part-full")).to_contain_text("Full after 1 event.")
    page.clock.fast_forward(2000)
    expect(page.locator("#stream-quiet")).to_be_empty()


def test_odd_signs_and_a_large_event_come_whole(open_page: OpenPage, installation: Serving) -> None:
    frames = (
        """[{"data": json.dumps({"output": "a\\u2028b\\U0001f600</script>"})},"""
        """ {"data": json.dumps({"output": "a\\u2028b\\U0001f600</script>" + "y" * 1_000_000})}]"""
    )
    page = open_page(recorded(installation, frames))
    text = page.locator("#stream-text")
    expect(text).to_have_text(re.compile("y{1000}"))
    shown = text.text_content() or ""
    assert shown == "a\u2028b\U0001f600</script>" + "y" * 1_000_000
    expect(page.locator("#stream-events")).to_have_text("2")
    page.get_by_role("tab", name="Events").click()
    lines(page).nth(1).click()
    expect(page.locator(".frame-body .json-tree")).to_contain_text("yyyy")


def test_pieces_behind_a_large_one_keep_their_order(
    open_page: OpenPage, installation: Serving
) -> None:
    frames = (
        """[{"data": json.dumps({"delta": text})} for text in ("<", "m" * 100_000, ">", "!")]"""
    )
    page = open_page(recorded(installation, frames))
    expect(page.locator("#stream-text")).to_have_text(re.compile("^<m+>!$"))


@pytest.mark.parametrize(
    ("error_type", "words"),
    [
        ("partial_stream", "closed in the middle of its output"),
        ("empty_stream", "brought nothing"),
        ("interrupted", "connection broke off"),
    ],
)
def test_how_a_stream_ended_is_told_apart(
    open_page: OpenPage, installation: Serving, error_type: str, words: str
) -> None:
    frames = "[]" if error_type == "empty_stream" else """[{"data": '{"output": "so far"}'}]"""
    columns = {"error_type": error_type, "error": "It ended."}
    page = open_page(recorded(installation, frames, status="failed", **columns))
    expect(page.locator(".explanation h2")).to_contain_text(words)
    if error_type != "empty_stream":
        expect(page.locator("#stream-text")).to_have_text("so far")

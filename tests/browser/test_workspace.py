"""The workspace in a real browser: submit and stay, the live result, the last runs."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import held
from tests.browser.workspace import fill_input, made, made_path

pytestmark = pytest.mark.browser

ECHO = "/requests/new/?endpoint=sandbox/echo"
SLOW = "/requests/new/?endpoint=sandbox/slow"


def runs(page: Page) -> Any:
    return page.locator(".run")


def submitted(page: Page, message: str) -> str:
    """Submit by Ctrl-Enter; the path of the request once its output is there."""
    fill_input(page, {"message": message})
    page.locator("#id_input").press("Control+Enter")
    expect(made(page).locator("#panel-output .json-tree")).to_contain_text(message)
    return made_path(page)


def test_after_a_submit_the_form_stays_and_its_result_stands_beside_it(
    open_page: Any, faults: Any
) -> None:
    faults(held("sandbox/slow"))
    page = open_page(SLOW)
    fill_input(page, {"steps": 4, "seconds_per_step": 0.1})
    page.get_by_role("button", name="Submit").click()
    expect(made(page).locator("#part-progress")).to_contain_text(re.compile("fal|sent"))
    expect(made(page).locator(".log-message").first).to_be_visible()
    faults()
    expect(made(page).locator(".badge")).to_have_text("completed")
    expect(made(page).locator("#panel-output .json-tree")).to_contain_text("steps: 4")
    expect(made(page).locator("#part-progress")).to_be_empty()
    assert page.input_value("#id_input") == '{"steps": 4, "seconds_per_step": 0.1}'
    assert "/requests/new/" in page.url


def test_ctrl_enter_submits_again_and_the_newest_result_is_shown(open_page: Any) -> None:
    page = open_page(ECHO)
    first = submitted(page, "run once")
    second = submitted(page, "run twice")
    assert first != second
    expect(made(page)).to_have_count(1)
    expect(runs(page).nth(0)).to_contain_text("run twice")
    expect(runs(page).nth(1)).to_contain_text("run once")
    expect(runs(page).nth(0).get_by_role("link")).to_have_attribute("aria-current", "true")


def test_a_run_of_the_strip_loads_its_exact_input_and_undo_brings_back_what_was_typed(
    open_page: Any,
) -> None:
    page = open_page(ECHO)
    exact = '{"message": "loaded", "number": 9007199254740993, "f": 7.50}'
    fill_input(page, exact)
    page.locator("#id_input").press("Control+Enter")
    expect(runs(page).first).to_contain_text("loaded")
    loaded = made_path(page)
    submitted(page, "another")
    expect(runs(page).first).to_contain_text("another")  # the strip has moved on
    fill_input(page, {"message": "typed and not sent"})
    runs(page).filter(has_text="loaded").first.get_by_role("link").click()
    expect(page.locator("#id_input")).to_have_value(exact)
    expect(made(page)).to_have_attribute("data-request", loaded.split("/")[2])
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#id_input")).to_have_value('{"message": "typed and not sent"}')
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()


def test_the_strip_belongs_to_the_endpoint_and_is_live(open_page: Any) -> None:
    page, other = open_page(ECHO), open_page(ECHO)
    expect(page.locator("#runs-title")).to_have_text("Last runs of sandbox/echo")
    submitted(other, "from another tab")
    expect(runs(page).first).to_contain_text("from another tab")
    page.get_by_label("Endpoint").fill("sandbox/never-run")
    expect(page.locator("#runs-title")).to_have_text("Last runs of sandbox/never-run")
    expect(page.get_by_text("Your team has not run this endpoint yet.")).to_be_visible()
    expect(runs(page)).to_have_count(0)


def test_run_again_opens_with_the_earlier_result(open_page: Any) -> None:
    page = open_page(ECHO)
    path = submitted(page, "once more")
    page.goto(f"/requests/new/?again={path.split('/')[2]}")
    expect(made(page).locator("#panel-output .json-tree")).to_contain_text("once more")


def test_a_stream_grows_beside_the_form_and_another_submit_takes_its_place(open_page: Any) -> None:
    page = open_page("/requests/new/?endpoint=sandbox/text")
    page.locator("[name=mode][value=stream]").check()
    fill_input(page, {"words": 300, "delay_s": 0.1})
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#stream-text")).not_to_be_empty()
    first = made_path(page)
    fill_input(page, {"words": 3, "delay_s": 0.01})
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).not_to_have_attribute("data-request", first.split("/")[2])
    expect(made(page).locator(".badge")).to_have_text("completed")
    expect(page.locator("#stream-events")).to_have_text("4")
    expect(page.locator("#replay")).to_be_visible()


def test_a_result_that_cannot_be_fetched_says_so_and_is_fetched_on_request(open_page: Any) -> None:
    page = open_page(ECHO)
    page.route("**/result/", lambda route: route.fulfill(status=422))
    fill_input(page, {"message": "late"})
    page.locator("#id_input").press("Control+Enter")
    expect(page.locator("#result")).to_contain_text("could not be fetched")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(made(page)).to_be_visible()


@pytest.mark.parametrize("width", [390, 1100, 1440])
def test_input_and_output_are_visible_together(open_page: Any, width: int) -> None:
    page = open_page(ECHO, width=width)
    path = submitted(page, "x" * 300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(path)
    expect(page.locator("#panel-output .json-tree")).to_be_visible()
    expect(page.locator("#panel-input .json-tree")).to_be_visible()
    tops = page.evaluate(
        "['panel-output', 'panel-input'].map(id => document.getElementById(id).getBoundingClientRect().top)"
    )
    is_stacked = tops[0] + 50 < tops[1]
    assert is_stacked == (width < 1100)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# --- outputs ------------------------------------------------------------------------------------------


def test_a_picture_opens_as_large_as_the_window_and_arrows_walk_through_all(open_page: Any) -> None:
    page = open_page("/requests/new/?endpoint=sandbox/image")
    size = {"width": 64, "height": 64}
    fill_input(
        page,
        {"prompt": "x", "num_images": 3, "num_inference_steps": 1, "image_size": size, "seed": 1},
    )
    page.locator("#id_input").press("Control+Enter")
    links = page.locator("a[data-lightbox]")
    expect(links).to_have_count(3)
    links.nth(0).click()
    box = page.locator("dialog.lightbox")
    expect(box.get_by_role("status")).to_have_text("images[0] · 1 of 3")
    for key, words in [
        ("ArrowRight", "images[1] · 2 of 3"),
        ("ArrowRight", "images[2] · 3 of 3"),
        ("ArrowRight", "images[2] · 3 of 3"),
        ("Home", "images[0] · 1 of 3"),
        ("ArrowLeft", "images[0] · 1 of 3"),
        ("ArrowDown", "images[1] · 2 of 3"),
    ]:
        page.keyboard.press(key)
        expect(box.get_by_role("status")).to_have_text(words)
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(links.nth(1)).to_be_focused()


def test_a_picture_can_be_saved_and_used_as_an_input(open_page: Any) -> None:
    page = open_page("/requests/new/?endpoint=sandbox/image")
    size = {"width": 64, "height": 64}
    fill_input(page, {"prompt": "x", "num_inference_steps": 1, "image_size": size, "seed": 1})
    page.locator("#id_input").press("Control+Enter")
    address = page.locator("a[data-lightbox]").get_attribute("href")
    with page.expect_download() as saved:
        page.locator("[data-save]").click()
    assert saved.value.suggested_filename.endswith(".png")
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")
    use = page.get_by_role("link", name="Use as input").get_attribute("href")
    assert parse_qs(urlsplit(use).query) == {"endpoint": ["sandbox/image"], "use": [address]}


# --- several runs, side by side -----------------------------------------------------------------------


def test_several_runs_are_told_made_and_compared(open_page: Any) -> None:
    page = open_page("/requests/new/?endpoint=sandbox/image")
    size = {"width": 64, "height": 64}
    fill_input(page, {"prompt": "two", "num_inference_steps": 1, "image_size": size, "seed": 7})
    page.get_by_label("Number of runs").fill("2")
    expect(page.locator("#repeat-words")).to_have_text(
        "2 requests, each with another seed: the sandbox costs nothing."
    )
    page.get_by_role("button", name="Submit").click()
    group = page.get_by_role("navigation", name="submitted together")
    first = made_path(page)
    group.get_by_role("button", name="2").click()
    expect(made(page)).not_to_have_attribute("data-request", first.split("/")[2])
    expect(made(page).locator(".badge")).to_have_text("completed")
    group.get_by_role("link", name="Compare", exact=True).click()
    different = page.locator(".line-differs")
    expect(different).to_have_count(1)
    assert different.locator("td").all_text_contents() == ["7", "8"]
    # A column that comes when its request ends brings a slider of its own.
    expect(page.locator("#compare .badge").filter(has_text="completed")).to_have_count(2)
    slider = page.get_by_label("How much of the first picture is shown")
    expect(slider).to_be_attached()
    page.wait_for_load_state("networkidle")  # a column that comes later takes the slider's place
    for _ in range(20):
        slider.focus()
        page.keyboard.press("End")
        if "100%" in (page.locator(".slider").get_attribute("style") or ""):
            break
        page.wait_for_timeout(250)
    expect(page.locator(".slider")).to_have_attribute("style", re.compile("--at: ?100%"))


def test_of_more_than_four_runs_the_strip_chooses_which_are_compared(open_page: Any) -> None:
    page = open_page("/requests/new/?endpoint=sandbox/image")
    size = {"width": 64, "height": 64}
    fill_input(page, {"prompt": "six", "num_inference_steps": 1, "image_size": size, "seed": 7})
    page.get_by_label("Number of runs").fill("6")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("button", name="Compare up to four").click()
    ticked = page.locator(".run-tick :checked")
    expect(ticked).to_have_count(4)
    expect(page.locator("#runs-chosen")).to_have_text("Compares up to four: tick which.")
    newest = runs(page).first.get_by_role("checkbox")  # the last of the six
    expect(newest).not_to_be_checked()
    newest.check()
    expect(page.locator("#runs-chosen")).to_have_text("5 are ticked: 4 at most.")
    ticked.nth(1).uncheck()
    page.locator("#runs").get_by_role("button", name="Compare").click()
    page.wait_for_url("**/requests/compare/?*")
    seeds = page.locator(".line-differs").filter(has_text="seed").locator("td")
    assert sorted(seeds.all_text_contents()) == ["12", "7", "8", "9"]


def test_an_endpoint_without_a_seed_offers_one_run(open_page: Any) -> None:
    page = open_page("/requests/new/?endpoint=sandbox/image")
    expect(page.get_by_label("Number of runs")).to_be_visible()
    page.get_by_label("Endpoint").fill("sandbox/echo")
    expect(page.get_by_label("Number of runs")).to_be_hidden()


def test_runs_of_the_strip_are_ticked_and_compared(open_page: Any) -> None:
    page = open_page(ECHO)
    submitted(page, "to compare, one")
    submitted(page, "to compare, two")
    button = page.get_by_role("button", name="Compare")
    expect(button).to_be_disabled()
    expect(runs(page).first).to_contain_text("to compare, two")  # the strip is fetched by itself
    for number in (0, 1):
        runs(page).nth(number).get_by_role("checkbox").check()
    button.click()
    page.wait_for_url("**/requests/compare/?id=*")
    expect(page.locator(".compare-column")).to_have_count(2)
    expect(page.locator(".line-differs td").first).to_have_text('"to compare, two"')


STATE = """video => [video.paused, video.playbackRate, Math.round(video.currentTime * 10) / 10]"""


def test_videos_play_stop_and_jump_together_as_long_as_that_is_chosen(open_page: Any) -> None:
    page = open_page("/requests/new/?endpoint=sandbox/motion/text-to-video")
    fill_input(page, {"prompt": "waves at dawn"})
    for number in (1, 2):
        page.get_by_role("button", name="Submit").click()
        expect(runs(page)).to_have_count(number)
        expect(made(page).locator(".badge")).to_have_text("completed")
    for number in (0, 1):
        runs(page).nth(number).get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare").click()
    videos = page.locator(".compare-column video")
    expect(videos).to_have_count(2)
    for number in (0, 1):
        videos.nth(number).evaluate(LOADED)
    videos.nth(0).evaluate(
        "video => { video.muted = true; video.currentTime = 0.5; video.playbackRate = 2; }"
    )
    expect_state(videos.nth(1), [True, 2, 0.5])
    videos.nth(1).evaluate("video => { video.currentTime = 0.2; }")
    expect_state(videos.nth(0), [True, 2, 0.2])
    page.get_by_label("Play the videos together").uncheck()
    videos.nth(0).evaluate("video => { video.currentTime = 0.6; }")
    expect_state(videos.nth(0), [True, 2, 0.6])
    expect_state(videos.nth(1), [True, 2, 0.2])


LOADED = """video => new Promise((done, fail) => {
  const look = () => video.readyState > 0 && done();
  video.onloadedmetadata = look;
  video.onerror = () => fail(new Error(video.error.message));
  look();
})"""


def expect_state(video: Locator, wanted: list[Any]) -> None:
    """Paused, speed, moment."""
    video.page.wait_for_function(
        f"([video, wanted]) => JSON.stringify(({STATE})(video)) === wanted",
        arg=[video.element_handle(), json.dumps(wanted, separators=(",", ":"))],
    )

"""What may be shown as a picture, a player or a link: the browser's judge, the browser's policy, what is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from requests_app.fal.transport import MESSAGE
from tests.browser.conftest import SITE, answer_static
from tests.display.test_media_hosts import CASES

pytestmark = pytest.mark.browser

SOURCES = " ".join(CASES["sources"])
POLICY = f"default-src 'none'; script-src 'self'; img-src 'self' data: {SOURCES}"
PICTURE = "https://fal.media/a.png"


@pytest.fixture
def guarded(page: Page) -> Iterator[Page]:
    """A bare page under the policy of the table's sources; nothing outside can be reached."""

    def answer(route: Route) -> None:
        url = route.request.url
        if not url.startswith(SITE):
            route.abort()
        elif url.endswith(".js"):
            answer_static(route)
        else:
            headers = {"Content-Security-Policy": POLICY, "Content-Type": "text/html"}
            route.fulfill(body="<!doctype html><body><p>", headers=headers)

    page.route("**/*", answer)
    page.goto(f"{SITE}/guarded")
    yield page
    page.unroute("**/*", answer)
    page.goto(f"{SITE}/")


@pytest.mark.slow
def test_the_browser_judges_addresses_as_the_server_does(page: Page) -> None:
    urls = [*CASES["shown"], *CASES["text"]]
    shown = page.evaluate(
        """async ([urls, sources]) => {
          const { isShowable } = await import("/lib/media.js");
          return urls.filter((url) => isShowable(url, sources));
        }""",
        [urls, CASES["sources"]],
    )
    assert shown == CASES["shown"]


def test_the_browser_finds_what_the_server_finds(page: Page) -> None:
    found = page.evaluate(
        """async ([values, sources]) => {
          const { findMedia } = await import("/lib/media.js");
          return values.map((value) => findMedia(value, sources).map(({ kind, path }) => [kind, path]));
        }""",
        [[case["value"] for case in CASES["outputs"]], CASES["sources"]],
    )
    assert found == [case["media"] for case in CASES["outputs"]]


def test_a_picture_as_large_as_an_event_is_found_in_a_stream_and_nowhere_else(page: Page) -> None:
    found = page.evaluate(
        """async (most) => {
          const { findMedia, picturesIn } = await import("/lib/media.js");
          const start = "data:image/png;base64,";
          const whole = { image: start + "A".repeat(most - start.length) };
          const larger = { image: whole.image + "A" };
          return [picturesIn(whole, []), picturesIn(larger, []), findMedia(whole, [])].map(({ length }) => length);
        }""",
        MESSAGE,
    )
    assert found == [1, 0, 0]


def test_the_policy_forbids_nothing_that_may_be_shown_and_every_other_host(guarded: Page) -> None:
    foreign = [
        "https://evil.example/a.png", "http://fal.media/x", "https://fal.media:8443/x",
        "https://fal.media.evil.example/x", "https://plain.example:80/x", "http://127.0.0.1/x",
    ]  # fmt: skip
    pictures = [url for url in CASES["shown"] if not url.lower().startswith(("data:a", "data:v"))]
    forbidden = guarded.evaluate(
        """async (urls) => {
          const blocked = new Set();
          for (const url of urls) {
            const told = (event) => blocked.add(url);
            document.addEventListener("securitypolicyviolation", told);
            const img = new Image();
            img.src = url;
            await img.decode().catch(() => {});
            await new Promise((resolve) => setTimeout(resolve, 20)); // the event comes by a task of its own
            document.removeEventListener("securitypolicyviolation", told);
          }
          return [...blocked];
        }""",
        [*pictures, *foreign],
    )
    assert forbidden == foreign


def play(page: Page, markup: str) -> None:
    """Put the markup into the page, with the module that watches over what is lost."""
    page.evaluate(
        """async (markup) => {
          await import("/lib/lostmedia.js");
          document.body.innerHTML = markup;
        }""",
        markup,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("markup", "words"),
    [
        (f'<img src="{PICTURE}" alt="images[0]">', "The picture cannot be shown here."),
        ('<img src="https://evil.example/a.png">', "The picture cannot be shown here."),
        (f'<a href="{PICTURE}"><img src="{PICTURE}"></a>', "The picture cannot be shown here."),
        ('<img src="data:image/png;base64,AAAA">', "The picture cannot be shown here."),
        (f'<video controls src="{PICTURE}"></video>', "The video cannot be shown here."),
        (f'<audio controls src="{PICTURE}"></audio>', "The recording cannot be shown here."),
    ],
)
def test_what_cannot_be_loaded_gives_way_to_words(guarded: Page, markup: str, words: str) -> None:
    play(guarded, markup)
    expect(guarded.locator(".media-lost")).to_contain_text(words)
    expect(guarded.locator("img, video, audio")).to_have_count(0)
    expect(guarded.locator("a")).to_have_count(0 if "data:" in markup else 1)


def test_a_thumbnail_gives_way_to_a_sign_and_does_so_at_once_when_its_row_comes_anew(
    guarded: Page,
) -> None:
    play(guarded, f'<img class="row-thumb" src="{PICTURE}" alt="">')
    expect(guarded.locator(".row-thumb.media-lost")).to_have_attribute(
        "title", "The picture cannot be loaded."
    )
    left = guarded.evaluate(
        """async (url) => {
          const { dropLost } = await import("/lib/lostmedia.js");
          document.body.innerHTML = `<div><img class="row-thumb" src="${url}" alt=""></div>`;
          dropLost(document.body);
          return document.images.length;
        }""",
        PICTURE,
    )
    assert left == 0

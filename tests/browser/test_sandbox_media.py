"""What the sandbox makes is understood by a browser: videos and sounds play, and jump; also as the bytes of an output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from requests_app.sandbox import SandboxServer
from tests.browser.conftest import OpenPage
from tests.browser.test_replay import recorded
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

PLAY = """async ([tag, url]) => {
  const player = document.createElement(tag);
  player.muted = true;
  player.src = url;
  document.body.append(player);
  await new Promise((done, fail) => {
    player.onloadeddata = done;
    player.onerror = () => fail(new Error(player.error.message));
  });
  player.currentTime = player.duration * 0.8;
  await new Promise((done) => { player.onseeked = done; });
  const jumped = player.currentTime / player.duration;
  await player.play();
  await new Promise((done) => { player.onended = done; });
  return { duration: player.duration, width: player.videoWidth || 0, jumped };
}"""


@pytest.fixture
def player(window: Browser) -> Iterator[Page]:
    page = window.new_page()
    yield page
    page.close()


def test_videos_and_sounds_play_to_the_end_and_jump(player: Page) -> None:
    with SandboxServer() as sandbox:
        samples = f"{sandbox.url}/cdn/samples"
        video = player.evaluate(PLAY, ["video", f"{samples}/waves-at-dawn.webm"])
        sound = player.evaluate(PLAY, ["audio", f"{samples}/good-morning.wav"])
    assert (round(video["duration"]), video["width"]) == (3, 480)
    assert sound["duration"] > 0.3
    assert video["jumped"] == pytest.approx(0.8, abs=0.01)
    assert sound["jumped"] == pytest.approx(0.8, abs=0.01)


# Stored as the worker leaves a reply of the endpoint itself; {type} and {body} are expressions.
OUTPUT = """
from requests_app.models import FalRequest
from requests_app.sandbox.media import samples
body = {body}
FalRequest.objects.filter(public_id={path!r}.split("/")[2]).update(
    output=body, output_type={type!r}, output_size=len(body))
"""


@pytest.fixture
def bytes_page(open_page: OpenPage, installation: Serving) -> Any:
    def open_it(mode: str, body: str, content_type: str, width: int = 1280) -> Page:
        path = recorded(installation, "[]", mode=mode)
        code = OUTPUT.format(path=path, type=content_type, body=body)
        installation.manage("shell", "-v", "0", "-c", code)
        return open_page(path, width=width)

    return open_it


@pytest.mark.parametrize("mode", ["run", "stream"])
@pytest.mark.parametrize("width", [390, 1280])
def test_an_output_that_is_a_picture_is_seen(bytes_page: Any, mode: str, width: int) -> None:
    page = bytes_page(mode, 'samples.sample("mask.png")[1]', "image/png", width)
    picture = page.locator(".medium img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
    assert page.evaluate("document.documentElement.scrollWidth") <= width


LOADED = """player => new Promise((done, fail) => {
  const look = () => player.readyState > 0 && done(player.duration);
  player.onloadedmetadata = look;
  player.onerror = () => fail(new Error(player.error.message));
  look();
})"""


@pytest.mark.parametrize(
    ("tag", "name", "content_type"),
    [("audio", "good-morning.wav", "audio/wav"), ("video", "waves-at-dawn.webm", "video/webm")],
)
def test_an_output_that_is_a_sound_or_a_video_can_be_played(
    bytes_page: Any, tag: str, name: str, content_type: str
) -> None:
    page = bytes_page("run", f"samples.sample({name!r})[1]", content_type)
    player = page.locator(f".medium {tag}")
    expect(player).to_be_visible()
    assert player.evaluate(LOADED) > 0.3

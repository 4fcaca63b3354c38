"""What the sandbox makes is understood by a browser: videos and sounds play, and jump."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from requests_app.sandbox import SandboxServer
from tests.browser.chromium import launch

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
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser.new_page()
        browser.close()


def test_videos_and_sounds_play_to_the_end_and_jump(page: Page) -> None:
    with SandboxServer() as sandbox:
        samples = f"{sandbox.url}/cdn/samples"
        video = page.evaluate(PLAY, ["video", f"{samples}/waves-at-dawn.webm"])
        sound = page.evaluate(PLAY, ["audio", f"{samples}/good-morning.wav"])
    assert (round(video["duration"]), video["width"]) == (3, 480)
    assert sound["duration"] > 0.3
    assert video["jumped"] == pytest.approx(0.8, abs=0.01)
    assert sound["jumped"] == pytest.approx(0.8, abs=0.01)

"""A browser as people call it."""

from __future__ import annotations

import pytest

from requests_app.display.browser_name import browser_name

AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0"
    " Safari/537.36 Edg/139.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0"
    " Mobile Safari/537.36": "Chrome on Android",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Safari/605.1.15": "Safari on macOS",
    "curl/8.5.0": "curl/8.5.0",
    "": "A browser without a name",
    "   ": "A browser without a name",
    "x" * 300: "x" * 60,
}  # fmt: skip


@pytest.mark.parametrize(("agent", "name"), AGENTS.items())
def test_a_browser_is_named_with_its_system(agent: str, name: str) -> None:
    assert browser_name(agent) == name

"""One place that starts Chromium and says how long tests wait, or that the browser tests are not run."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests import tools

# As long as Playwright waits for an act or a page; a starved machine does in 20 s what takes one.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


def launch(playwright: Playwright) -> Browser:
    """Chromium without a window; skips the test when the machine has none."""
    path = tools.chromium(playwright)
    if path is None:
        pytest.skip(tools.NO_BROWSER)
    return playwright.chromium.launch(executable_path=path)

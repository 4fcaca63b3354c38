"""One place that starts Chromium, or says that the browser tests are not run."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Playwright

from tests import tools


def launch(playwright: Playwright) -> Browser:
    """Chromium without a window; skips the test when the machine has none."""
    path = tools.chromium(playwright)
    if path is None:
        pytest.skip(tools.NO_BROWSER)
    return playwright.chromium.launch(executable_path=path)

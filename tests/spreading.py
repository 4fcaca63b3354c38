"""Which test process runs which tests, where several work side by side."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadFileScheduling

BROWSER = "tests/browser"


class OneBrowser(LoadFileScheduling):
    """Whole files, and those of the browser to one process.

    A tenth of the browser's tests take as long as an installation and a Chromium for each process.
    """

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(f"{BROWSER}/") else super()._split_scope(nodeid)


def has_one_browser(config: pytest.Config, *, is_whole: bool) -> bool:
    """Whether one process is to have all tests of the browser: where the rest occupies the others.

    `is_whole`: no slow test is left out.
    """
    of_everything = config.args == config.getini("testpaths")
    return config.option.dist == "loadfile" and of_everything and not is_whole

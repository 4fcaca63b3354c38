"""Which test process runs which tests, where several work side by side."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadFileScheduling

# How the names of tests begin that go to one process.
TOGETHER = (
    ("tests/browser/",),
    # These parse the whole source, and a process keeps what it has parsed.
    (
        "tests/test_architecture.py", "tests/test_docs.py", "tests/test_foreign_names.py",
        "tests/display/test_explain.py", "tests/flows/test_outbound.py",
    ),
)  # fmt: skip


class OneBrowser(LoadFileScheduling):
    """Whole files, and those of the browser to one process.

    A tenth of the browser's tests take as long as an installation and a Chromium for each process.
    """

    def _split_scope(self, nodeid: str) -> str:
        together = (group[0] for group in TOGETHER if nodeid.startswith(group))
        return next(together, super()._split_scope(nodeid))


def has_one_browser(config: pytest.Config, *, is_whole: bool) -> bool:
    """Whether one process is to have all tests of the browser: where the rest occupies the others.

    `is_whole`: no slow test is left out.
    """
    of_everything = config.args == config.getini("testpaths")
    return config.option.dist == "loadfile" and of_everything and not is_whole

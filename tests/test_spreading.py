"""The browser's tests go to one process where a tenth of them run beside everything else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.source import kept_files
from tests.spreading import TOGETHER, OneBrowser, has_one_browser


def command(*arguments: str, dist: str = "loadfile") -> Any:
    return SimpleNamespace(
        args=list(arguments), getini=lambda name: ["tests"], option=SimpleNamespace(dist=dist)
    )


@pytest.mark.parametrize(
    ("given", "is_whole", "expected"),
    [
        (command("tests"), False, True),
        (command("tests"), True, False),
        (command("tests/browser"), False, False),
        (command("tests", dist="no"), False, False),
    ],
)
def test_one_process_has_the_browser_where_the_rest_occupies_the_others(given, is_whole, expected):
    assert has_one_browser(given, is_whole=is_whole) == expected


def test_what_goes_together_is_one_piece_of_work_and_other_files_are_one_each():
    split = OneBrowser.__new__(OneBrowser)._split_scope
    assert split("tests/browser/test_a.py::test_b") == split(
        "tests/browser/test_c.py::test_d[x::y]"
    )
    assert split("tests/test_docs.py::test_a") == split("tests/display/test_explain.py::test_b")
    other = "tests/views/test_a.py::test_b[x::y]"
    assert split(other) == "tests/views/test_a.py"


def test_every_name_stands_for_files_that_there_are():
    for beginning in [one for group in TOGETHER for one in group]:
        assert any(path.startswith(beginning) for path in kept_files()), beginning

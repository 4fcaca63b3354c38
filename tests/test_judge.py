"""`.ci/judge`: what it lets pass, and what a second run of browser tests excuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

JUDGE = Path(__file__).resolve().parents[1] / ".ci" / "judge"
HELD, FAILED, BROKEN = "", "<failure/>", "<error/>"
SKIPPED = '<skipped type="pytest.skip" message="no browser"/>'
Cases = dict[str, str]


def judged(folder: Path, cases: Cases, alone: Cases | None = None, *more: str) -> tuple[int, str]:
    """The judge's exit code and what it says."""
    report, second = folder / "suite.xml", folder / "alone.xml"
    report.write_text(junit(cases))
    if alone is not None:
        second.write_text(junit(alone))
    call = [sys.executable, str(JUDGE), str(report), "--alone", str(second), *more]
    ended = subprocess.run(call, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout


def junit(cases: Cases) -> str:
    """A report; "browser.a" stands for the test `a` of the module tests.browser.test_it."""
    lines = []
    for case, result in cases.items():
        folder, name = case.split(".", 1)
        lines.append(
            f'<testcase classname="tests.{folder}.test_it" name="{name}">{result}</testcase>'
        )
    return f"<testsuites><testsuite>{''.join(lines)}</testsuite></testsuites>"


MANY = {f"browser.t{number}": FAILED for number in range(4)}


@pytest.mark.parametrize(
    "cases, alone, is_good",
    [
        ({"api.a": HELD}, None, True),
        ({}, None, False),
        ({"api.a": FAILED}, None, False),
        ({"api.a": SKIPPED}, None, False),
        ({"browser.a": FAILED, "browser.b": HELD}, {"browser.a": HELD}, True),
        ({"browser.a": BROKEN}, {"browser.a": HELD}, True),
        ({"browser.a": FAILED}, {"browser.a": FAILED}, False),
        ({"browser.a": FAILED}, {"browser.a": SKIPPED}, False),
        ({"browser.a": FAILED, "browser.b": FAILED}, {"browser.a": HELD}, False),
        ({"browser.a": FAILED}, None, False),
        ({"api.a": FAILED}, {"api.a": HELD}, False),  # no browser, no excuse
        ({"browser.a": FAILED, "api.b": FAILED}, {"browser.a": HELD}, False),
        (MANY, dict.fromkeys(MANY, HELD), False),  # too many for an accident
    ],
)
def test_a_run_is_good_when_all_held_and_a_browser_test_may_hold_alone(
    tmp_path: Path, cases: Cases, alone: Cases | None, is_good: bool
) -> None:
    code, said = judged(tmp_path, cases, alone)
    assert (code == 0) == is_good, said


def test_what_held_only_alone_is_named(tmp_path: Path) -> None:
    cases = {"browser.a": FAILED, "browser.b": HELD}
    code, said = judged(tmp_path, cases, {"browser.a": HELD})
    assert code == 0
    assert said.splitlines() == [
        "Held only alone: tests.browser.test_it.a",
        "suite.xml: nothing failed but 1 that held alone, nothing was skipped.",
    ]


@pytest.mark.parametrize(
    "cases, named",
    [
        ({"browser.a[x y]": FAILED, "browser.b": HELD, "api.c": FAILED}, ["a[x y]"]),
        ({"api.c": FAILED}, []),
        (MANY, []),
    ],
)
def test_the_tests_to_run_alone_are_named_as_pytest_names_them(
    tmp_path: Path, cases: Cases, named: list[str]
) -> None:
    code, said = judged(tmp_path, cases, None, "--crowded")
    assert code == 0
    assert said.split("\n")[:-1] == ([f"tests/browser/test_it.py::{one}" for one in named] or [""])


def test_a_package_that_was_not_run_is_missed(tmp_path: Path) -> None:
    code, said = judged(tmp_path, {"api.a": HELD}, None, "--needs", "tests.browser")
    assert (code, said.strip()) == (1, "tests.browser: none of its tests was run.")


def test_a_skip_passes_with_its_reason_alone(tmp_path: Path) -> None:
    code, _ = judged(tmp_path, {"api.a": SKIPPED}, None, "--may-skip", "no browser")
    assert code == 0

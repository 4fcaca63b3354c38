"""Which of the slow tests run: every tenth, or all of them.

Slow is what is marked so (long tables, races, property tests, whatever takes half a second), and what drives a whole
installation in a browser. Of those that start an installation of their own, which takes as long as ten others, every
thirtieth runs, and of the long ones, of ten seconds and more, none. Continuous integration runs all of them, and so does a command that names a test
file, a test, or a word with `-k`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

EVERY = 10
EVERY_OWN_INSTALLATION = 30
# Tests with one of these fixtures wait for a whole installation: the shared one, or one of their own.
INSTALLATIONS = frozenset({"installation", "serving"})


def runs_all(config: pytest.Config, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether no slow test is left out: SLOW ("all", "tenth") decides, then CI, then the command."""
    asked = environment.get("SLOW", "")
    if asked not in ("", "all", "tenth"):
        raise pytest.UsageError(f'SLOW is "all" or "tenth", not "{asked}".')
    if asked:
        return asked == "all"
    return bool(environment.get("CI")) or is_narrow(config.args, config.option.keyword)


def count(name: str, whole: int, environment: Mapping[str, str] = os.environ) -> int:
    """How many examples a race or a property test plays: the variable's number, else a tenth or all of `whole`."""
    if name in environment:
        return int(environment[name])
    asked = environment.get("SLOW") or ("all" if environment.get("CI") else "tenth")
    return whole if asked == "all" else whole // EVERY


def is_narrow(arguments: Sequence[str], keyword: str) -> bool:
    """Whether the command names files, tests or words rather than folders."""
    return bool(keyword) or any("::" in each or each.endswith(".py") for each in arguments)


def is_slow(item: pytest.Item) -> bool:
    """By its markers, or by the fixtures it waits for."""
    marked = any(item.get_closest_marker(name) for name in ("slow", "process"))
    return marked or bool(INSTALLATIONS.intersection(getattr(item, "fixturenames", ())))


def share(item: pytest.Item) -> int:
    """Of how many tests like this one a sample keeps one."""
    is_in_browser = item.get_closest_marker("browser")
    has_own = is_in_browser and "serving" in getattr(item, "fixturenames", ())
    if item.get_closest_marker("process") or has_own:
        return EVERY_OWN_INSTALLATION
    return EVERY if is_slow(item) else 1


def sample(items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Tests to run, and slow ones to leave out. One order always gives one choice."""
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    numbers: Counter[int] = Counter()
    for item in items:
        if item.get_closest_marker("long"):
            left_out.append(item)
            continue
        of = share(item)
        (left_out if numbers[of] % of else kept).append(item)
        numbers[of] += 1
    return kept, left_out

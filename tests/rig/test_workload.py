"""The work follows from its seed, and no two requests are alike."""

from __future__ import annotations

import json
from collections import Counter

from tests.rig.workload import ALIKE, intents


def test_the_same_seed_gives_the_same_work() -> None:
    assert intents(50, 10, seed=3) == intents(50, 10, seed=3)
    assert intents(50, 10, seed=3) != intents(50, 10, seed=4)


def test_no_two_inputs_are_written_alike() -> None:
    work = intents(500, 10, seed=1)
    assert len({json.dumps(intent.input) for intent in work}) == 500


def test_some_want_the_same_at_the_same_time() -> None:
    work = intents(500, 10, seed=1)
    values = Counter(json.dumps(intent.input, sort_keys=True) for intent in work)
    assert Counter(values.values()) == {1: 375, ALIKE: 25}
    assert {intent.at for intent in work[:ALIKE]} == {work[0].at}


def test_it_comes_in_order_within_the_time_and_uses_every_way() -> None:
    work = intents(500, 10, seed=1)
    assert [intent.at for intent in work] == sorted(intent.at for intent in work)
    assert 0 <= work[0].at <= work[-1].at <= 10
    assert {intent.mode for intent in work} == {"queue", "run", "stream"}
    assert any(intent.repeats for intent in work)
    assert any(intent.cancel_after for intent in work)

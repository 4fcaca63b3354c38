"""Several runs of one input that differ in their seed alone.

A seed that was typed is counted up from; without one they are drawn. Nothing else of the input's text changes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from requests_app.catalogue.fields import Field
from requests_app.catalogue.kinds import Kind
from requests_app.fal.exactjson import put_member

MOST_RUNS = 16
LARGEST = 2**31 - 1  # what models take when the schema sets no maximum


class NoSeeds(ValueError):
    """There are not as many different seeds; the sentence says why."""


def seed_field(fields: Sequence[Field]) -> Field | None:
    """Return the whole-number field that decides about chance; None when the endpoint has none."""
    found = [field for field in fields if field.kind is Kind.SEED and not field.frozen]
    return next((field for field in found if field.name == "seed"), found[0] if found else None)


def seeded_inputs(field: Field, text: str, count: int) -> list[tuple[int, str]]:
    """Return `count` seeds, each with the input that has it. `text` is a JSON object. Raises NoSeeds."""
    typed = json.loads(text).get(field.name)
    seeds = _seeds(field, typed, count)
    return [(seed, put_member(text, field.name, str(seed))) for seed in seeds]


def _seeds(field: Field, typed: object, count: int) -> list[int]:
    low, high = _bounds(field)
    if high - low + 1 < count:
        raise NoSeeds(f"{field.title} takes {high - low + 1} values only: choose fewer runs.")
    # Many models take -1 for "draw one".
    if typed is None or (isinstance(typed, int) and not isinstance(typed, bool) and typed < 0):
        return random.sample(range(low, high + 1), count)
    if isinstance(typed, bool) or not isinstance(typed, int):
        raise NoSeeds(f"{field.title} is not a whole number.")
    if typed > high:
        raise NoSeeds(f"{field.title} is larger than {high}: there is no next one.")
    # From the end of the range it goes on at its beginning.
    return [low + (typed - low + step) % (high - low + 1) for step in range(count)]


def _bounds(field: Field) -> tuple[int, int]:
    low, high = field.bounds.minimum, field.bounds.maximum
    lowest = 0 if low is None else max(0, int(low))
    if high is None:
        return lowest, max(LARGEST, lowest + MOST_RUNS)
    return lowest, int(high)

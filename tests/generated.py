"""Inputs that hypothesis draws from a JSON schema, valid by it.

The same in every run of the same code: hypothesis also draws the constants it finds in it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import hypothesis_jsonschema._from_schema as by_schema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.internal.conjecture.utils import many
from hypothesis_jsonschema import from_schema
from jsonschema_rs import Draft202012Validator


class _Many:
    """The loop of a newer hypothesis by the name that hypothesis-jsonschema 0.23.1 calls it."""

    def __init__(self, data: Any, **sizes: Any) -> None:
        self._loop = many(data, **sizes).__enter__()
        self._steps = iter(self._loop)
        self.reject = self._loop.reject

    def more(self) -> bool:
        if next(self._steps, self) is not self:
            return True
        self._loop.__exit__(None)
        return False


by_schema.cu = SimpleNamespace(many=_Many)


def drawn_inputs(schema: dict[str, Any], count: int) -> list[Any]:
    """So many inputs at most; fewer when the schema has no more.

    hypothesis-jsonschema knows draft 7 alone, and multiplies floats for a `multipleOf`: what the schema
    refuses as 2020-12 reads it is left out.
    """
    found: list[Any] = []
    reference = Draft202012Validator(schema)

    @settings(
        max_examples=count, database=None, deadline=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(from_schema(schema))
    def collect(value: Any) -> None:
        if reference.is_valid(value):
            found.append(value)

    collect()
    return found

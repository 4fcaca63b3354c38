"""Failed requests, and the worker's turn at the journal."""

from __future__ import annotations

from typing import Any

from requests_app.error_groups import counting
from requests_app.models import ErrorGroup, FalRequest
from tests.builders import fresh, hear, make_queued, make_result

_numbers = iter(range(10**9))


def fail(
    team: Any,
    person: Any,
    error: str = "The runner died",
    *,
    kind: str = "died",
    code: int = 500,
    **request: Any,
) -> FalRequest:
    """A request that fal took and that failed with this sentence."""
    row = make_queued(f"failed-{next(_numbers)}", team=team, person=person, **request)
    hear(row, make_result(code=code, error=error, error_type=kind))
    return fresh(row)


def count_all() -> None:
    """What the worker does until nothing is left."""
    while counting.fold():
        pass


def only_group() -> ErrorGroup:
    """The one group there is, with all counted."""
    count_all()
    return ErrorGroup.objects.get()

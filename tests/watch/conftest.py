"""The watch loop works on its own threads: rows must be committed for it to see them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from requests_app.models import FalRequest
from requests_app.watch.loop import watch_loop
from requests_app.watch.sweep import sweep


@pytest.fixture
def loop() -> Iterator[Any]:
    """The process's watch loop, stopped afterwards so that no step outlives its test."""
    yield watch_loop
    watch_loop.stop(drain_s=2)


@pytest.fixture
def until(loop: Any) -> Callable[..., FalRequest]:
    """Sweep as the clock would, until the row is as wanted."""

    def wait(
        row: FalRequest, wanted: Callable[[FalRequest], bool], seconds: float = 15
    ) -> FalRequest:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            loop.run(sweep())
            now = FalRequest.objects.get(pk=row.pk)
            if wanted(now):
                return now
            time.sleep(0.05)
        raise AssertionError(f"still {now!r} after {seconds} s: {list(now.observations.all())}")

    return wait


def ended(row: FalRequest) -> bool:
    """For `until`."""
    return row.is_ended

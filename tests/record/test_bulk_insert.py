"""What is put into the table comes out of it as it was, on every database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from requests_app.models import Direction, FalRequest
from requests_app.record.frame import NewFrame
from requests_app.record.storage import COLUMNS, append
from requests_app.rules.storable import storable_text


def new(number: int, data: str = "x", **fields: Any) -> NewFrame:
    return NewFrame(number, number * 1.5, data, len(data), **fields)


def stored(row: FalRequest) -> list[NewFrame]:
    found = [list(values) for values in row.frames.order_by("number").values_list(*COLUMNS)]
    for values in found:
        raw = values[COLUMNS.index("raw")]
        values[COLUMNS.index("raw")] = None if raw is None else bytes(raw)
    return [NewFrame(*values) for values in found]


@pytest.mark.parametrize("count", [1, 3, 255, 256, 257, 1000])
def test_a_batch_of_any_size_is_stored_whole(row: FalRequest, count: int) -> None:
    append(row.pk, [new(n, f"frame {n}") for n in range(1, count + 1)])
    stored = row.frames.order_by("number").values_list("number", "data")
    assert list(stored) == [(n, f"frame {n}") for n in range(1, count + 1)]


def test_overlong_parts_are_cut(row: FalRequest) -> None:
    append(row.pk, [new(1, event="e" * 500, event_id="i" * 500)])
    frame = row.frames.get()
    assert (len(frame.event), len(frame.event_id)) == (100, 200)


ODD = [
    "", "%s %% %(name)s ?", """' " \\ \\u0041 \\n""", "\n\r\t\x01\x7f", "\u2028\u20ac\U0001f600\ufffd",
    "null", "[1, 2", "x" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_odd_text_and_bytes_come_back_as_they_were(row: FalRequest, text: str) -> None:
    batch = [
        new(1, text, event=text[:100], event_id=text[:200], raw=text.encode()),
        new(2, text, raw=bytes(range(256)), direction=Direction.OUT, kind="binary"),
        new(3, text, raw=b"", pair=2, rtt_ms=0.001),
        NewFrame(2**31 - 1, 1e-9, text, 2**31 - 1, rtt_ms=1e300),
    ]
    append(row.pk, batch)
    assert stored(row) == batch


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(
            st.text().map(storable_text),
            st.none() | st.binary(),
            st.none() | st.integers(0, 2**31 - 1),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_any_text_and_bytes_come_back_as_they_were(row: FalRequest, content: Any) -> None:
    row.frames.all().delete()
    batch = [
        new(number, text, raw=raw, pair=pair)
        for number, (text, raw, pair) in enumerate(content, start=1)
    ]
    append(row.pk, batch)
    assert stored(row) == batch

"""Options in words: what is sent of them."""

from __future__ import annotations

import pytest

from requests_app.display.option_facts import option_facts


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ({}, []),
        ({"priority": "low"}, [("Priority", "low")]),
        ({"priority": "normal"}, [("Priority", "normal")]),
        ({"priority": None}, []),
        ({"store_io": False}, [("Input and output at fal", "Do not store them")]),
        ({"headers": {"x-trace": "7"}}, [("x-trace", "7")]),
        ({"headers": {"x-fal-queue-priority": "low"}}, [("Priority", "low")]),
        ({"max_queue_length": 0, "priority": "low"}, [("Priority", "low"), ("Longest queue", "0")]),
        ({"gone": "x"}, []),
    ],
)
def test_what_is_sent_is_named(options: dict[str, object], facts: list[tuple[str, str]]) -> None:
    assert option_facts(options) == facts

"""JSON pointers as RFC 6901 writes them."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.catalogue.pointer import pointer


@pytest.mark.parametrize(
    ("names", "expected"),
    [((), ""), (("a",), "/a"), (("a", 0, "b"), "/a/0/b"), (("a/b", "c~d"), "/a~1b/c~0d"), (("~1",), "/~01"), (("",), "/")],
)  # fmt: skip
def test_names_are_escaped_in_their_order(names: Any, expected: str) -> None:
    assert pointer(names) == expected

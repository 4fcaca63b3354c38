"""Pure: limits on JSON (values, levels, bytes), checked before the text is parsed.

A million small members are 11 MB of text and 300 MB of Python objects.
"""

from __future__ import annotations

import re

MAX_NODES = 250_000
MAX_DEPTH = 64
MAX_BYTES = 16 * 1024 * 1024
BOUNDS = f"{MAX_BYTES // 2**20} MB, {MAX_NODES:,} values and {MAX_DEPTH} levels"

# A string, an empty container, an opening, a closing, a comma, and last an unclosed quote.
_TOKEN = re.compile(
    r'"(?:[^"\\]++|\\.)*+"|[\[{][ \t\n\r]*+[\]}]|([\[{])|([\]}])|(,)|(")', re.DOTALL
)
_TOKENS_OF_A_NODE = 6  # the most that valid JSON needs: a name, a string, a comma, two brackets


class OverBound(ValueError):
    """The text exceeds a limit. ``str()`` is a predicate for a subject such as "The input"."""


def ensure_bounded(text: str, *, nodes: int = MAX_NODES, depth: int = MAX_DEPTH) -> None:
    """Count values and levels, and raise OverBound. Invalid JSON passes: the parser reports it."""
    opened = text.count("[") + text.count("{")
    if (
        opened < depth and 1 + opened + text.count(",") <= nodes
    ):  # within the limits even if no bracket or comma is inside a string
        return
    seen, level = 1, 0
    for number, token in enumerate(_TOKEN.finditer(text)):
        if token[1]:
            level += 1
            seen += 1
        elif token[2]:
            level -= 1
        elif token[3]:
            seen += 1
        if seen > nodes:
            raise OverBound(f"has more than {nodes:,} values, which is the most that is taken.")
        if level >= depth:  # its content lies one level deeper
            raise OverBound(f"is nested deeper than {depth} levels.")
        if token[4] or level < 0 or number > _TOKENS_OF_A_NODE * nodes:
            return

"""How much JSON is taken: values, levels and bytes. Pure, and judged before any of it is built.

A million small members are 11 MB of text and 300 MB of Python objects.
"""

from __future__ import annotations

import re

MAX_NODES = 250_000
MAX_DEPTH = 64
MAX_BYTES = 16 * 1024 * 1024
BOUNDS = f"{MAX_BYTES // 2**20} MB, {MAX_NODES:,} values and {MAX_DEPTH} levels"

# A string, an empty container, an opening, a closing, a comma; at last a quote that is never closed.
_TOKEN = re.compile(
    r'"(?:[^"\\]++|\\.)*+"|[\[{][ \t\n\r]*+[\]}]|([\[{])|([\]}])|(,)|(")', re.DOTALL
)
_TOKENS_OF_A_NODE = 6  # at most, in text that is JSON: a name, a string, a comma, two brackets


class OverBound(ValueError):
    """The text is over a bound; ``str()`` names it, after a subject such as "The input"."""


def ensure_bounded(text: str, *, nodes: int = MAX_NODES, depth: int = MAX_DEPTH) -> None:
    """Count values and levels. Text that is no JSON passes: its reader says what is wrong.

    Raises OverBound.
    """
    opened = text.count("[") + text.count("{")
    if opened < depth and 1 + opened + text.count(",") <= nodes:  # also if none stood in a string
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

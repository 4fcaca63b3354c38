"""Which inputs are the same: a digest of the JSON value, whatever its text. Pure.

Numbers are compared by their exact value, in any number of digits: 1, 1.0 and 1e0 are the same, 0.1 and
0.10000000000000000001 are not. The order of names, white space and escapes make no difference; the order of
a list does.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

PLAIN_DIGITS = 40  # a whole number up to this length is written out
# Marks a number that JSON's encoder cannot write exactly; a member of this name is wrapped in a list, so that
# no input can imitate one.
_NUMBER = "number"


def same_input_digest(endpoint_id: str, mode: str, input_text: str) -> str:
    """Return the same hash for the same call. `input_text` is valid JSON."""
    value = json.loads(
        input_text, parse_int=_number, parse_float=_number, object_hook=_not_a_number
    )
    text = json.dumps([endpoint_id, mode, value], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _not_a_number(members: dict[str, Any]) -> dict[str, Any]:
    if _NUMBER in members:
        members[_NUMBER] = [members[_NUMBER]]
    return members


def _number(literal: str) -> Any:
    """Return an int, or digits and power of ten in normal form: 15e-1 for 1.5."""
    mantissa, _, power = literal.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    found = (whole + fraction).lstrip("0")
    digits = found.rstrip("0")
    if not digits:
        return 0  # -0 too
    sign = "-" if literal.startswith("-") else ""
    exponent = _exponent(power) - len(fraction) + len(found) - len(digits)
    if 0 <= exponent <= PLAIN_DIGITS - len(digits):
        return int(sign + digits) * 10**exponent
    return {_NUMBER: f"{sign}{digits}e{exponent}"}


def _exponent(text: str) -> int:
    """An exponent of thousands of digits is out of every range: one such is as good as another."""
    limit = 10**18
    digits = text.lstrip("+-").lstrip("0")
    size = int(digits or "0") if len(digits) < 18 else limit
    return -size if text.startswith("-") else size

"""Pure: amounts as the search box takes them. Currencies are not compared: an amount is one in its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

NONE = "none"  # no cost is known
_AMOUNT = re.compile(r"(>=|<=|>|<)?\s*\$?(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})", re.ASCII)


@dataclass(frozen=True)
class AmountBound:
    """A comparison with an amount."""

    is_lower: bool
    is_open: bool  # the bound itself is left out
    amount: Decimal


def amount_bound(text: str) -> AmountBound | None:
    """Read `>0.5`, `<=$1`, and `0.5`, which means at least; None for anything else."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        return None
    sign = match[1] or ">="
    return AmountBound(sign.startswith(">"), sign in "<>", Decimal(match[2]))

"""Pure: amounts in words."""

from __future__ import annotations

from decimal import Decimal


def money(amount: Decimal, currency: str) -> str:
    """Write an amount with all its digits: `$0.025`, `0.5 EUR`."""
    digits = format(amount, "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"${digits}" if currency == "USD" else f"{digits} {currency}"

"""What a request cost, in words: an amount, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from requests_app.models import CostProblem, CostState, FalRequest, Mode, RequestOrigin
from requests_app.rules.money import money

_WHY = {
    CostProblem.UNIT: "fal's price is for another unit than the one that it bills.",
    CostProblem.PRICE: "fal told no price for it.",
}


@dataclass(frozen=True)
class CostWords:
    """`words`: the amount, “pending” or “unknown”; `why`: a sentence for the latter two."""

    words: str
    why: str = ""


def cost_of(row: FalRequest) -> CostWords:
    """Say what is known of the cost."""
    match row.cost_state:
        case CostState.KNOWN:
            return CostWords(amount(row))
        case CostState.PENDING:
            return CostWords("pending", _pending(row))
        case CostState.UNKNOWN:
            return CostWords("unknown", _unknown(row))


def amount(row: FalRequest) -> str:
    """Write the cost with all its digits; empty where it is not known."""
    return "" if row.cost is None else money(row.cost, row.cost_currency or "")


def _pending(row: FalRequest) -> str:
    if not row.is_ended:
        return "fal tells what it bills when the request has ended."
    return "fal's price was not known at the end; it is asked for again."


def _unknown(row: FalRequest) -> str:
    if row.origin == RequestOrigin.IMPORTED:
        return "It was imported: what it cost was paid elsewhere."
    if row.cost_problem:
        return _WHY[CostProblem(row.cost_problem)]
    if row.billable_units:
        return "It ended before costs were stored."
    if row.mode == Mode.REALTIME:
        return "fal does not tell what a session bills."
    return "fal told no billed units."

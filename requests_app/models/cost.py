"""What is known of a request's cost."""

from __future__ import annotations

from enum import StrEnum


class CostState(StrEnum):
    """Whether `FalRequest.cost` is there, may still come, or never will. Documented in the API."""

    KNOWN = "known"
    PENDING = "pending"  # it has not ended, or fal's price is still asked for
    UNKNOWN = "unknown"  # `FalRequest.cost_problem` says why, if fal told its units


class CostProblem(StrEnum):
    """Values of `FalRequest.cost_problem`: why there is no cost although fal told its units."""

    UNIT = "unit"  # fal's price is for another unit than the one it bills
    PRICE = "price"  # fal told no price in time

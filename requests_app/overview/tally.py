"""The figures of some requests: counted one by one, added up, and as they are stored in a `RollUp`."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from requests_app.models import RollUp
from requests_app.overview.histogram import Bins, add_flat, flat

COUNTS = ("total", "completed", "mistakes", "faults", "own_faults", "cancelled")
_NAMED = ("failures", "sources", "people", "heard")  # counts by a name


@dataclass
class Ends:
    """How many requests there are, and how they ended. Of the failed ones: whose fault it was."""

    total: int = 0
    completed: int = 0
    mistakes: int = 0  # the input's, 4xx
    faults: int = 0  # fal's, or the model's
    own_faults: int = 0  # on this side, or of the line
    cancelled: int = 0

    @property
    def failed(self) -> int:
        return self.mistakes + self.faults + self.own_faults

    @property
    def open(self) -> int:
        """How many have not ended."""
        return max(self.total - self.completed - self.failed - self.cancelled, 0)

    def add(self, counts: tuple[int, ...]) -> None:
        """Add numbers in the order of `COUNTS`."""
        total, completed, mistakes, faults, own_faults, cancelled = counts
        self.total += total
        self.completed += completed
        self.mistakes += mistakes
        self.faults += faults
        self.own_faults += own_faults
        self.cancelled += cancelled

    @property
    def counts(self) -> tuple[int, ...]:
        return (
            self.total, self.completed, self.mistakes, self.faults, self.own_faults, self.cancelled
        )  # fmt: skip


@dataclass
class Tally:
    """The figures.

    `failures` by error type, `people` by the user's key, `costs` of `priced` requests by currency, `heard`: ended
    ones by the source from which the end was learnt.
    """

    ends: Ends = field(default_factory=Ends)
    failures: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)
    queue: Bins = field(default_factory=Counter)
    run: Bins = field(default_factory=Counter)
    costs: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    priced: int = 0

    def add(self, other: Tally) -> None:
        """Add another one's figures."""
        self.add_stored(other.ends.counts, other.more)

    def add_stored(self, counts: tuple[int, ...], more: dict[str, Any]) -> None:
        """Add what is stored of a span."""
        self.ends.add(counts)
        for name in _NAMED:
            if found := more.get(name):
                into: Counter[str] = getattr(self, name)
                for key, number in found.items():
                    into[key] += number
        add_flat(self.queue, more.get("queue", []))
        add_flat(self.run, more.get("run", []))
        for currency, amount in more.get("costs", {}).items():
            self.costs[currency] += Decimal(amount)
        self.priced += more.get("priced", 0)

    @property
    def more(self) -> dict[str, Any]:
        """What is stored beside the counts; nothing of what is empty."""
        named = {
            "failures": dict(self.failures),
            "sources": dict(self.sources),
            "people": dict(self.people),
            "heard": dict(self.heard),
            "queue": flat(self.queue),
            "run": flat(self.run),
            "costs": {currency: str(amount) for currency, amount in self.costs.items()},
            "priced": self.priced,
        }
        return {name: value for name, value in named.items() if value}

    def stored(self, **key: Any) -> RollUp:
        """Return the row that has these figures."""
        return RollUp(**key, **dict(zip(COUNTS, self.ends.counts, strict=True)), more=self.more)

    @classmethod
    def of(cls, row: RollUp) -> Self:
        """Return the figures of a row."""
        made = cls()
        made.add_stored(tuple(getattr(row, name) for name in COUNTS), row.more)
        return made

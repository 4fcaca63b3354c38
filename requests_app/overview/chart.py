"""Pure: the geometry of the chart of bars. Widths are percents of the drawing, heights pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from requests_app.overview.tally import Ends

HEIGHT = 160  # pixels of the highest bar there may be
FILLED = 84  # percent of a bar's place
# The parts of a bar from the bottom up: count of `Ends`, word, status in a search.
PARTS = (
    ("completed", "completed", "completed"),
    ("mistakes", "user's mistake", "failed"),
    ("faults", "fal's fault", "failed"),
    ("own_faults", "on this side", "failed"),
    ("cancelled", "cancelled", "cancelled"),
    ("open", "open", "active"),
)


@dataclass(frozen=True)
class Segment:
    """One part of a bar."""

    kind: str
    status: str
    y: float
    height: float


@dataclass(frozen=True)
class DrawnBar:
    """The place of a bar; `FILLED` percent of its width are drawn."""

    left: float
    width: float
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class ChartBar:
    """A bar as it is drawn, with its name and the address of its requests in the list."""

    drawn: DrawnBar
    ends: Ends
    name: str
    url: str

    @property
    def segments(self) -> Iterator[tuple[Segment, str]]:
        """Yield each part with the address of its requests."""
        for one in self.drawn.segments:
            yield one, f"{self.url}+status%3A{one.status}"

    @property
    def counts(self) -> list[int]:
        """Of all, and of each part."""
        return [self.ends.total, *(getattr(self.ends, kind) for kind, _, _ in PARTS)]

    @property
    def words(self) -> str:
        """The values, for those who point at it or hear it."""
        told = [
            f"{getattr(self.ends, kind):,} {word}"
            for kind, word, _ in PARTS
            if getattr(self.ends, kind)
        ]
        of = f" ({', '.join(told)})" if told else ""
        return f"{self.name}: {self.ends.total:,} request{'' if self.ends.total == 1 else 's'}{of}"


def draw(bars: Sequence[Ends]) -> list[DrawnBar]:
    """Return the bars side by side."""
    top = ticks(bars)[0]
    width = 100 / len(bars)
    return [
        DrawnBar(
            left=round(place * width, 3),
            width=round(width, 3),
            segments=tuple(_segments(ends, top)),
        )
        for place, ends in enumerate(bars)
    ]


def _segments(ends: Ends, top: int) -> Iterator[Segment]:
    y = float(HEIGHT)
    for kind, _, status in PARTS:
        if count := getattr(ends, kind):
            height = max(HEIGHT * count / top, 1.0)  # one of thousands is still seen
            y = max(y - height, 0.0)
            yield Segment(kind, status, round(y, 2), round(height, 2))


def ticks(bars: Sequence[Ends]) -> tuple[int, int, int]:
    """Return the numbers at the axis, the highest first: an even one that no bar is higher than."""
    most = max((ends.total for ends in bars), default=0)
    step = 1
    while True:
        for factor in (1, 2, 5):
            if 2 * factor * step >= most:
                return 2 * factor * step, factor * step, 0
        step *= 10

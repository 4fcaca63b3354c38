"""How a measurement is summed up and shown."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print it with aligned columns, the first to the left."""
    lines = [list(map(str, row)) for row in [columns, *rows]]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    print(f"\n{title}")
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  " + "  ".join([line[0].ljust(widths[0]), *cells]))


def median_and_worst(seconds: Sequence[float]) -> tuple[str, str]:
    """In milliseconds; the worst is the 95th percentile."""
    worst = sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * 0.95))]
    return f"{statistics.median(seconds) * 1000:.1f} ms", f"{worst * 1000:.1f} ms"


def processor_s(process: Popen[bytes] | None) -> float:
    """Return how many seconds of a core a process has used."""
    assert process is not None
    words = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

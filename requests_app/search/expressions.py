"""Pure: what is asked of the index, as SQLite's FTS5 and as PostgreSQL's `tsquery` spell it.

Words come from `words` and never have quotes, backslashes or spaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """Words that follow each other; `is_prefix`: the last one may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False

    def as_fts5(self) -> str:
        return f'"{" ".join(self.words)}"{" *" if self.is_prefix else ""}'

    def as_tsquery(self) -> str:
        quoted = [f"'{word}'" for word in self.words]
        quoted[-1] += ":*" if self.is_prefix else ""
        return f"({' <-> '.join(quoted)})"


@dataclass(frozen=True)
class AnyOf:
    """At least one part matches."""

    parts: Sequence[Expression]

    def as_fts5(self) -> str:
        return f"({' OR '.join(part.as_fts5() for part in self.parts)})"

    def as_tsquery(self) -> str:
        return f"({' | '.join(part.as_tsquery() for part in self.parts)})"


@dataclass(frozen=True)
class AllOf:
    """Every part matches, and none of `refused` does."""

    parts: Sequence[Expression]
    refused: Sequence[Expression] = ()

    def as_fts5(self) -> str:
        wanted = " AND ".join(part.as_fts5() for part in self.parts)
        return "".join(["(" * len(self.refused), f"({wanted})", *map(self._without, self.refused)])

    @staticmethod
    def _without(part: Expression) -> str:
        return f" NOT {part.as_fts5()})"

    def as_tsquery(self) -> str:
        wanted = [part.as_tsquery() for part in self.parts]
        return f"({' & '.join([*wanted, *(f'!{part.as_tsquery()}' for part in self.refused)])})"


Expression = Phrase | AnyOf | AllOf

"""Pure: a request's facts -> the words that are indexed for it.

Every word begins with the team's number, so that a search reads the words of its own team alone, and what other
teams have neither counts nor takes time:

    5:lighthouse          a word of the input, output, error, logs, endpoint
    5i.prompt=lighthouse  of this input field; 5o.seed=7 of this output field; 5x=required of the error
    5#s=failed            a fact that a filter asks for

Between two texts stands `GAP`, so that no phrase goes across.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import islice

from requests_app.fal.exactjson import Members, Number, parse_exact
from requests_app.search.words import field_name, id_word, number_word, words_of

GAP = "|"
NAME_ALONE = object()  # in place of the value of a field that holds fields
PARSED = 256 * 1024  # characters of a JSON text; of a longer one the beginning is indexed as text
PLAIN = 32 * 1024  # so many of them
MOST_WORDS = {"input": 1500, "output": 1000, "error": 150, "logs": 1500}
MOST_IN_A_FIELD = 60  # words of one text that are found by the field's name, too

LIVE = "live"  # the fact of all that have not ended; ended ones have their status


@dataclass(frozen=True)
class Facts:
    """What is indexed of a request."""

    team: int
    endpoint_id: str
    mode: str
    person: int
    ids: tuple[str, ...]
    state: str  # of `LIVE` or the status
    took: timedelta | None
    cost: Decimal | None
    origin: str
    seed: str
    input_text: str
    output: str
    errors: tuple[str, ...]  # the sentence and the type
    logs: tuple[str, ...]
    tags: tuple[str, ...] = ()  # keys
    has: tuple[str, ...] = ()  # kinds of media in the output


def words_for(facts: Facts) -> list[str]:
    """Return everything that is indexed, in order."""
    team = facts.team
    tags = [
        ("all", ""), ("s", facts.state), ("m", facts.mode), ("p", str(facts.person)),
        ("e", digest_word(facts.endpoint_id)), *(("i", id_word(one)) for one in facts.ids if one),
        *(("t", digest_word(one)) for one in facts.tags),
        *(("h", one) for one in ("media", *facts.has) if facts.has),
        *([("d", str(duration_step(facts.took)))] if facts.took is not None else []),
        *([("w", facts.origin)] if facts.origin else []),
        *([("n", digest_word(facts.seed))] if facts.seed else []),
        *([("c", str(cost_step(facts.cost)))] if facts.cost is not None else []),
    ]  # fmt: skip
    found = [tag(team, kind, value) for kind, value in tags]
    found += [GAP, *_plain(team, facts.endpoint_id)]
    found += islice(_json(team, "i", facts.input_text), MOST_WORDS["input"])
    found += islice(_json(team, "o", facts.output), MOST_WORDS["output"])
    for error in facts.errors:
        found += islice(_error(team, error), MOST_WORDS["error"])
    found += islice(_logs(team, facts.logs), MOST_WORDS["logs"])
    return found


def tag(team: int, kind: str, value: str = "") -> str:
    """Return the word of a fact."""
    return f"{team}#{kind}={value}"


def word(team: int, text: str) -> str:
    """Return the indexed form of a free word."""
    return f"{team}:{text}"


def field_word(team: int, side: str, path: str, text: str) -> str:
    """Return the indexed form of a word in a field of the input (`i`), the output (`o`) or the error (`x`)."""
    return f"{team}{side}.{path}={text}" if path else f"{team}{side}={text}"


def field_path(path: str) -> str:
    """Return a dotted path as it is indexed."""
    return ".".join(filter(None, map(field_name, path.split("."))))


def digest_word(text: str) -> str:
    """Return a short digest: an endpoint's id and a tag may have any letter."""
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


def duration_step(took: timedelta) -> int:
    """Return the step of a scale that doubles every two steps."""
    return int(2 * math.log2(max(took.total_seconds(), 0) * 1000 + 1))


def cost_step(cost: Decimal) -> int:
    """Return the step of a scale that doubles every two steps, from a millionth on."""
    return int(2 * math.log2(max(float(cost), 0) * 1_000_000 + 1))


def _plain(team: int, text: str) -> Iterator[str]:
    yield from (word(team, one) for one in words_of(text))
    yield GAP


def _error(team: int, text: str) -> Iterator[str]:
    if text:
        yield from _plain(team, text)
        yield from (field_word(team, "x", "", one) for one in words_of(text))
        yield GAP


def _logs(team: int, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from _plain(team, line)


def _json(team: int, side: str, text: str) -> Iterator[str]:
    if not text.strip():
        return
    try:
        value = parse_exact(text) if len(text) <= PARSED else None
    except (ValueError, RecursionError):
        value = None
    if value is None:
        yield from _plain(team, text[:PLAIN])
        return
    for path, scalar in _scalars(value):
        yield from _scalar(team, side, path, scalar)


def _scalars(value: object) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield each key and scalar with its path, in order; a list's items have the list's path.

    No recursion: an input may be nested as deeply as it likes.
    """
    waiting: list[tuple[tuple[str, ...], object]] = [((), value)]
    while waiting:
        path, one = waiting.pop()
        if path and isinstance(one, Members | list):
            yield path, NAME_ALONE
        if isinstance(one, Members):
            waiting += [((*path[-7:], name), child) for name, child in reversed(one)]
        elif isinstance(one, list):
            waiting += [(path, child) for child in reversed(one)]
        else:
            yield path, one


def _scalar(team: int, side: str, path: tuple[str, ...], value: object) -> Iterator[str]:
    named = field_path(".".join(path))
    if path:
        yield from (word(team, one) for one in words_of(path[-1]))
    if value is NAME_ALONE:
        return
    if isinstance(value, Number):
        words = [number_word(value) or value[:20]]
    elif isinstance(value, str):
        words = [] if value.startswith("data:") else list(islice(words_of(value), 1500))
    else:
        words = [{True: "true", False: "false", None: "null"}[value]]  # type: ignore[index]
    yield from (word(team, one) for one in words)
    yield GAP
    if named and words:
        yield from (field_word(team, side, named, one) for one in words[:MOST_IN_A_FIELD])
        yield GAP

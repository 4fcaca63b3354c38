"""Terms -> an expression for the index. A part that the index cannot tell is left to `filters`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from requests_app.models import ENDED, LIVE, Status
from requests_app.rules.tag_names import tag_key
from requests_app.search import amounts, moments
from requests_app.search.documents import (
    LIVE as LIVE_STATE,
)
from requests_app.search.documents import (
    cost_step,
    digest_word,
    duration_step,
    field_path,
    field_word,
    tag,
    word,
)
from requests_app.search.expressions import AllOf, AnyOf, Expression, Phrase
from requests_app.search.filters import is_like_an_id
from requests_app.search.language import EACH, Search, Term, listed, statuses_of
from requests_app.search.scope import Scope
from requests_app.search.words import id_word, number_word, words_of

LAST_STEP = 100  # of the scales: more than a century, and than any cost
MOST_ENDPOINTS = 300  # in one expression


def expression(search: Search, scope: Scope, *, filters: bool) -> Expression | None:
    """Return what to ask of the index; `filters`: also the parts that the rows' columns could answer.

    Return None when the search needs no look-up in the index.
    """
    parts = []
    for key, terms in search.by_key().items():
        if key in ("", *EACH):  # words, and bounds, must all be there
            parts += [_told(term, scope, filters=filters) for term in terms]
            continue
        each = [_told(term, scope, filters=filters) for term in terms]
        if all(each):
            parts.append(_any(filter(None, each)))
    wanted = [part for part in parts if part]
    refused = [
        part
        for term in search.refused
        if (part := _told(term, scope, filters=filters, is_exact=True))
    ]
    if filters:
        wanted += [part for term in search.refused if (part := _other_statuses(term, scope))]
    if not wanted and not refused:
        return None
    return AllOf(wanted or [Phrase((tag(scope.team, "all"),))], refused)


def inexact(search: Search, scope: Scope) -> Iterator[Term]:
    """Yield the filters that match more in the index than they should: the rows decide."""
    for terms in search.by_key().values():
        if not all(_is_exact(term, scope) for term in terms):
            yield from terms
    yield from (term for term in search.refused if not _is_exact(term, scope))


def _is_exact(term: Term, scope: Scope) -> bool:
    if term.parts:
        return term.is_of_words or all(_is_exact(part, scope) for part in term.parts)
    if term.key == "status":
        live = frozenset().union(*map(statuses_of, listed(term.value))) & LIVE
        return live in (frozenset(), LIVE)
    if term.key == "id":
        parts = [part.rstrip("*") for part in listed(term.value)]
        return not term.negated and all(id_word(part) == part for part in parts)
    return term.key in _EXACT and _told(term, scope, filters=True) is not None


def _told(term: Term, scope: Scope, *, filters: bool, is_exact: bool = False) -> Expression | None:
    """Return the expression of one term; `is_exact`: None when it would match more than the term does."""
    if term.parts:
        return _either(term, scope, filters=filters)
    side, _, path = term.key.partition(".")
    if side in _SIDES:
        return _field(term.value, partial(field_word, scope.team, _SIDES[side], field_path(path)))
    if term.key == "error":
        return _field(term.value, partial(field_word, scope.team, "x", ""))
    if not term.key:
        return _text(term.value, scope)
    if not filters or (is_exact and term.key not in _EXACT):
        return None
    told = _FILTERS.get(term.key)
    return told(term.value, scope) if told else None


def _either(group: Term, scope: Scope, *, filters: bool) -> Expression | None:
    """Return the expression of terms with OR between them; None when one of them cannot be told."""
    found = []
    for term in group.parts:
        part = _told(term, scope, filters=filters, is_exact=term.negated)
        if part is None:
            return None
        everything = Phrase((tag(scope.team, "all"),))
        found.append(AllOf([everything], [part]) if term.negated else part)
    return AnyOf(found)


_SIDES = {"input": "i", "output": "o"}
_EXACT = {"mode", "source", "seed", "by", "endpoint", "tag", "has"}


def _any(parts: Iterable[Expression]) -> Expression:
    found = list(parts)
    return found[0] if len(found) == 1 else AnyOf(found)


def _field(value: str, in_field: Callable[[str], str]) -> Expression:
    found: list[Expression] = [_phrase(value, in_field)]
    if number := number_word(value):
        found.append(Phrase((in_field(number),)))
    return _any(dict.fromkeys(found))


def _phrase(value: str, as_indexed: Callable[[str], str]) -> Phrase:
    return Phrase(tuple(map(as_indexed, words_of(value))), is_prefix=value.endswith("*"))


def _text(value: str, scope: Scope) -> Expression:
    found: list[Expression] = [_phrase(value, partial(word, scope.team))]
    if number := number_word(value):
        found.append(Phrase((word(scope.team, number),)))
    if is_like_an_id(value):
        found += _ids(value, scope)
    return _any(dict.fromkeys(found))


def _ids(value: str, scope: Scope) -> list[Expression]:
    prefix = value.rstrip("*")
    forms = dict.fromkeys((id_word(prefix), id_word(prefix.replace("-", ""))))
    return [Phrase((tag(scope.team, "i", form),), is_prefix=True) for form in forms if form]


def _id(value: str, scope: Scope) -> Expression | None:
    found = [form for part in listed(value) for form in _ids(part, scope)]
    return _any(found) if found else None


def _tags(kind: str, values: Iterable[str], scope: Scope) -> Expression:
    # A value that no row has: an expression that matches nothing.
    found = [Phrase((tag(scope.team, kind, value),)) for value in dict.fromkeys(values)]
    return _any(found or [Phrase((tag(scope.team, kind, "none"),))])


def _status(value: str, scope: Scope) -> Expression:
    return _states(frozenset().union(*map(statuses_of, listed(value))), scope)


def _states(statuses: frozenset[Status], scope: Scope) -> Expression:
    live = [LIVE_STATE] if statuses & LIVE else []
    return _tags("s", [*sorted(statuses & ENDED), *live], scope)


def _other_statuses(term: Term, scope: Scope) -> Expression | None:
    """Return, for an excluded status, all others: that is less to read than everything."""
    if term.key != "status":
        return None
    unwanted = frozenset().union(*map(statuses_of, listed(term.value)))
    return _states(frozenset(Status) - unwanted, scope)


def _mode(value: str, scope: Scope) -> Expression:
    return _tags("m", listed(value), scope)


def _has(value: str, scope: Scope) -> Expression:
    return _tags("h", listed(value), scope)


def _source(value: str, scope: Scope) -> Expression:
    return _tags("w", listed(value), scope)


def _seed(value: str, scope: Scope) -> Expression:
    return _tags("n", map(digest_word, listed(value)), scope)


def _by(value: str, scope: Scope) -> Expression:
    return _tags("p", map(str, scope.people(value)), scope)


def _endpoint(value: str, scope: Scope) -> Expression | None:
    names: list[str] = []
    for part in filter(None, map(str.strip, value.split(","))):
        found = scope.endpoints_like(part)
        if found is None:
            return None
        names += found
    if len(names) > MOST_ENDPOINTS:
        return None
    return _tags("e", map(digest_word, names), scope)


def _tag(value: str, scope: Scope) -> Expression | None:
    keys = [tag_key(part) for part in value.split(",") if part.strip()]
    if any(key.endswith("*") for key in keys):
        return None
    return _tags("t", map(digest_word, keys), scope)


def _duration(value: str, scope: Scope) -> Expression | None:
    bound = moments.bound(value)
    if bound is None:
        return None
    edge = duration_step(bound.span)
    steps = range(edge, LAST_STEP) if bound.is_lower else range(edge + 1)
    return _tags("d", map(str, steps), scope)


def _cost(value: str, scope: Scope) -> Expression | None:
    if value.lower() == amounts.NONE:
        any_cost = Phrase((tag(scope.team, "c"),), is_prefix=True)
        return AllOf([Phrase((tag(scope.team, "all"),))], [any_cost])
    bound = amounts.amount_bound(value)
    if bound is None:
        return None
    edge = cost_step(bound.amount)
    steps = range(edge, LAST_STEP) if bound.is_lower else range(edge + 1)
    return _tags("c", map(str, steps), scope)


_FILTERS: dict[str, Callable[[str, Scope], Expression | None]] = {
    "status": _status,
    "mode": _mode,
    "source": _source,
    "seed": _seed,
    "by": _by,
    "endpoint": _endpoint,
    "id": _id,
    "duration": _duration,
    "cost": _cost,
    "tag": _tag,
    "has": _has,
}

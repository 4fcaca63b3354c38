"""Parse the search box: text -> terms -> Q. Pure: nothing here queries the database.

    status:failed endpoint:acme/* by:me mode:stream id:0f3a batch:zoo free words "a phrase" -word

Values may be lists (``status:failed,cancelled``). Terms of one field are joined by OR, different fields
by AND; a minus excludes. Ids match by prefix. What cannot be parsed becomes a sentence, and a search with
such problems is not run: the rest of it would match too much.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from uuid import UUID

from django.db.models import Q

from requests_app.models import ENDED, LIVE, Batch, BatchItem, Mode, Status
from requests_app.models.account import AccountName
from requests_app.models.names import keys_of
from requests_app.rules.folding import fold

MAX_LENGTH = 200  # characters: longer texts are slow and match nothing more
FIELDS = ("status", "endpoint", "by", "mode", "id", "batch")

_TOKEN = re.compile(
    r"""(?P<minus>-)?(?:(?P<key>[A-Za-z_]+):)?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+))"""
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEX = re.compile(r"[0-9a-f]{1,32}", re.ASCII | re.IGNORECASE)
_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}", re.ASCII | re.IGNORECASE)
_GROUPS: dict[str, frozenset[Status]] = {"active": LIVE, "ended": ENDED}


@dataclass(frozen=True)
class Term:
    """One part of a search. ``key`` is a field's name, or empty for free text."""

    key: str
    value: str
    negated: bool = False

    def __str__(self) -> str:
        quoted = f'"{self.value}"' if re.search(r"[\s:]|^-", self.value) else self.value
        return f"{'-' if self.negated else ''}{self.key + ':' if self.key else ''}{quoted}"


@dataclass(frozen=True)
class Search:
    """The parsed ``terms`` and, in sentences, the ``problems`` of what could not be parsed."""

    terms: tuple[Term, ...] = ()
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def value(self, key: str) -> str:
        """Return the field's value when exactly one plain term names it, else an empty text."""
        values = [term.value for term in self.terms if term.key == key and not term.negated]
        return values[0] if len(values) == 1 else ""

    def without(self, term: Term) -> Search:
        """Return the search without one term."""
        return replace(self, terms=tuple(other for other in self.terms if other != term))

    def setting(self, key: str, value: str = "") -> Search:
        """Return the search with this as the field's only value; an empty value removes the field."""
        others = tuple(term for term in self.terms if term.key != key)
        return replace(self, terms=(Term(key, value), *others) if value else others)

    def q(self, *, me: str) -> Q:
        """Return the condition on FalRequest; ``me`` is the username that ``by:me`` means."""
        condition = Q()
        for key in FIELDS:
            wanted = [_FIELD_Q[key](term.value, me) for term in self._of(key, negated=False)]
            condition &= reduce(or_, wanted, Q())
        words = [_text_q(term.value) for term in self._of("", negated=False)]
        refused = [~_term_q(term, me) for term in self.terms if term.negated]
        return reduce(and_, [*words, *refused], condition)

    def _of(self, key: str, *, negated: bool) -> Iterable[Term]:
        return (term for term in self.terms if term.key == key and term.negated is negated)


def parse_search(text: str) -> Search:
    """Parse the text of the search box. Never raises: errors go to ``problems``."""
    terms: list[Term] = []
    problems: list[str] = []
    text = _CONTROL.sub(" ", text)
    if len(text) > MAX_LENGTH:
        problems.append(f"Only the first {MAX_LENGTH} characters are searched.")
        text = text[:MAX_LENGTH]
    if text.count('"') % 2:
        problems.append("A quotation mark is not closed.")
    for match in _TOKEN.finditer(text):
        term = _term(match)
        problem = _problem(term)
        if problem:
            problems.append(problem)
        elif term.value and term not in terms:
            terms.append(term)
    return Search(tuple(terms), tuple(dict.fromkeys(problems)))


def _term(match: re.Match[str]) -> Term:
    key = (match["key"] or "").lower()
    value = match["bare"] if match["quoted"] is None else match["quoted"]
    return Term(key, value.strip(), bool(match["minus"]))


def _problem(term: Term) -> str:
    """Return a sentence why the term cannot be searched; empty when it can."""
    if not term.key:
        return _check_text(term.value)
    if term.key not in FIELDS:
        return (
            f"There is no filter {term.key}: (there are {', '.join(FIELDS)}). "
            "Put text with a colon between quotation marks."
        )
    if not term.value:
        return f"{term.key}: needs a value."
    check = _CHECKS.get(term.key)
    return check(term.value) if check else ""


def _check_text(value: str) -> str:
    name = value[:-1].lower()
    if value == f"{name}:" and name in FIELDS:
        return f"{name}: needs a value."
    # A text of invisible characters only would match every row.
    return "There is nothing visible to search for." if value and not fold(value) else ""


def _check_status(value: str) -> str:
    unknown = [name for name in _listed(value) if not _statuses(name)]
    names = ", ".join([*Status.values, *_GROUPS])
    return f"There is no status {', '.join(unknown)}. There are {names}." if unknown else ""


def _check_mode(value: str) -> str:
    unknown = [name for name in _listed(value) if name not in Mode.values]
    return (
        f"There is no mode {', '.join(unknown)}. There are {', '.join(Mode.values)}."
        if unknown
        else ""
    )


def _check_endpoint(value: str) -> str:
    if any("*" in part.strip("*") or not part.strip("*") for part in _listed(value)):
        return "In endpoint: a * stands at the beginning or the end, as in acme/*."
    return ""


_CHECKS: dict[str, Callable[[str], str]] = {
    "status": _check_status,
    "mode": _check_mode,
    "endpoint": _check_endpoint,
}


def _listed(value: str) -> list[str]:
    return [part for part in (piece.strip().lower() for piece in value.split(",")) if part]


def _statuses(name: str) -> frozenset[Status]:
    name = name.replace("-", "_").replace(" ", "_")
    if name in _GROUPS:
        return _GROUPS[name]
    return frozenset({Status(name)}) if name in Status.values else frozenset()


def _term_q(term: Term, me: str) -> Q:
    return _FIELD_Q[term.key](term.value, me) if term.key else _text_q(term.value)


def _text_q(text: str) -> Q:
    """Match free text, and ids when the text looks like the beginning of one."""
    # `contains`, not `icontains`: both sides are folded, and databases fold case beyond ASCII differently.
    found = Q(search_text__contains=fold(text))
    return found | _one_id_q(text) if _LIKE_AN_ID.fullmatch(text) else found


def _status_q(value: str, me: str) -> Q:
    return Q(status__in=frozenset().union(*map(_statuses, _listed(value))))


def _mode_q(value: str, me: str) -> Q:
    return Q(mode__in=_listed(value))


def _endpoint_q(value: str, me: str) -> Q:
    return reduce(or_, (_one_endpoint_q(part.strip()) for part in value.split(",") if part.strip()))


def _one_endpoint_q(part: str) -> Q:
    """Match ``acme/*`` by prefix, ``*/fast`` by suffix, ``*flux*`` or ``flux`` anywhere, else exactly.

    Case is ignored, except that a full id is looked up by index: as typed or in lower case.
    """
    name = part.strip("*")
    begins, ends = part.endswith("*"), part.startswith("*")
    if (begins and ends) or not (begins or ends or "/" in name):
        return Q(endpoint_id__icontains=name)
    if begins:
        return Q(endpoint_id__istartswith=name)
    if ends:
        return Q(endpoint_id__iendswith=name)
    return Q(endpoint_id=name) if name == name.lower() else Q(endpoint_id__in=(name, name.lower()))


def _by_q(value: str, me: str) -> Q:
    """Match users by any spelling of their name, as the log-in does."""
    # `iexact` ignores case for ASCII only on SQLite, and no database knows look-alike letters.
    typed = [name for name in map(str.strip, value.split(",")) if name]
    names = [me if name.lower() == "me" else name for name in typed]
    keys = frozenset().union(*map(keys_of, names))
    users = AccountName.objects.filter(key__in=keys).values("user")
    # A user whose name clashes with another's has no keys.
    return Q(person__in=users) | Q(person__username__in=names)


def _id_q(value: str, me: str = "") -> Q:
    return reduce(or_, map(_one_id_q, _listed(value)), Q())


def _one_id_q(text: str) -> Q:
    """Match our id or fal's by prefix; fal's ids may have any form."""
    prefix = text.rstrip("*")
    ours = _uuids(prefix)
    found = Q(fal_request_id__istartswith=prefix) | Q(gateway_request_id__istartswith=prefix)
    return found | Q(public_id__range=ours) if ours else found


def _batch_q(value: str, me: str) -> Q:
    """Match the newest request of each row of the batches with this name or beginning of an id."""
    names = [value, *(part.strip() for part in value.split(",") if part.strip())]
    batches = reduce(or_, map(_one_batch_q, names))
    items = BatchItem.objects.filter(batch__in=Batch.objects.filter(batches), request__isnull=False)
    return Q(pk__in=items.values("request"))


def _one_batch_q(text: str) -> Q:
    # `iexact` ignores case for ASCII only on SQLite.
    ours = _uuids(text) if _LIKE_AN_ID.fullmatch(text) else None
    return Q(name__iexact=text) | Q(public_id__range=ours) if ours else Q(name__iexact=text)


def _uuids(prefix: str) -> tuple[UUID, UUID] | None:
    """Return the first and last UUID with this prefix: a range works on every database."""
    digits = prefix.replace("-", "")
    if not _HEX.fullmatch(digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


_FIELD_Q: dict[str, Callable[[str, str], Q]] = {
    "status": _status_q,
    "endpoint": _endpoint_q,
    "by": _by_q,
    "mode": _mode_q,
    "id": _id_q,
    "batch": _batch_q,
}

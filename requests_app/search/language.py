"""Parse the search box: text -> terms. Pure.

    status:failed endpoint:acme/* by:me mode:stream id:0f3a batch:zoo free words "a phrase" begin* -word
    has:video input.seed:42 output.text:fox error:required after:2d before:2026-11-01 duration:>30s
    cost:>0.5 source:api key:spending group:0f3a9c21d4e5b678
    sunset OR dusk    status:failed OR duration:>1h

Values may be lists (``status:failed,cancelled``). Terms of one field are joined by OR, of `after`, `before`,
`duration`, `cost` and `tag` by AND, different fields by AND; a minus excludes; OR between two terms takes either. Ids
match by prefix, words whole or, with a star, by their beginning. What cannot be parsed becomes a sentence, and a
search with such problems is not run: the rest of it would match too much.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from requests_app.models import ENDED, HIDDEN, LIVE, Mode, RequestOrigin, Status
from requests_app.rules.error_sentence import key_in
from requests_app.rules.folding import fold
from requests_app.rules.tag_names import tag_key
from requests_app.search import amounts, moments
from requests_app.search.documents import field_path
from requests_app.search.words import words_of

MAX_LENGTH = 200  # characters: longer texts are slow and match nothing more
FIELDS = (
    "status", "endpoint", "by", "mode", "id", "batch", "after", "before", "duration", "cost",
    "error", "tag", "source", "key", "seed", "starred", "has", "group",
)  # fmt: skip
SIDES = ("input", "output")  # with the name of a field behind a point
EITHER = "OR"  # between two terms; also the key of the term that they become
EACH = ("after", "before", "duration", "cost", "tag", EITHER)  # several of one must all be true
# What is asked of a row without its input and output. All else, free words too, is for those who see these.
OF_ROWS = frozenset(FIELDS) - {"error", "seed", "has", "group"}
NOT_SEARCHED = (
    f"{HIDDEN} Words, input., output., error:, seed:, has: and group: are therefore not searched for you; "
    "endpoint:, by:, tag:, status: and the others are."
)
WORDS = ("", "error", *SIDES)  # keys of what the index alone can tell
YES_NO = {"yes": True, "no": False}
HAS = ("media", "image", "video", "audio", "file")  # of an output; media: any of the others
PREFIX_LETTERS = 2  # of a word with a star, at the least: fewer begin too many words

_TOKEN = re.compile(
    r"""(?P<minus>-)?(?:(?P<key>[A-Za-z_]+(?:\.[^\s":]*)?):)?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+))"""
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_GROUPS: dict[str, frozenset[Status]] = {"active": LIVE, "ended": ENDED}


@dataclass(frozen=True)
class Term:
    """One part of a search. ``key`` is a field's name, empty for free text, or `EITHER` for several ``parts``."""

    key: str
    value: str
    negated: bool = False
    parts: tuple[Term, ...] = ()  # one of which must match

    def __str__(self) -> str:
        if self.parts:
            return f" {EITHER} ".join(map(str, self.parts))
        quoted = f'"{self.value}"' if re.search(r"[\s:]|^-|^OR$", self.value) else self.value
        return f"{'-' if self.negated else ''}{self.key + ':' if self.key else ''}{quoted}"

    @property
    def is_of_words(self) -> bool:
        """Whether the index alone can tell it; all others are conditions on the row."""
        if self.parts:
            return self.parts[0].is_of_words
        return self.key.partition(".")[0] in WORDS


@dataclass(frozen=True)
class Search:
    """The parsed ``terms`` and, in sentences, the ``problems`` of what could not be parsed."""

    terms: tuple[Term, ...] = ()
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    @property
    def asks_for_payloads(self) -> bool:
        """Whether its answer would tell something of inputs and outputs."""
        plain = [one for term in self.terms for one in (term.parts or (term,))]
        return any(term.key not in OF_ROWS for term in plain)

    def by_key(self) -> dict[str, list[Term]]:
        """Return the plain terms of each field, in the order of the first; free text is at ``""``."""
        found: dict[str, list[Term]] = {}
        for term in self.terms:
            if not term.negated:
                found.setdefault(term.key, []).append(term)
        return found

    @property
    def refused(self) -> list[Term]:
        """Return the terms with a minus."""
        return [term for term in self.terms if term.negated]

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


def told_search(text: str, *, sees: bool) -> str | None:
    """Return a stored search; None where its words may be of inputs that the reader may not see."""
    return text if sees or not parse_search(text).asks_for_payloads else None


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
    for group in _groups(text, problems):
        known: list[Term] = []
        for term in group:
            if problem := _problem(term):
                problems.append(problem)
            elif term.value and term not in known:
                known.append(term)
        if len({term.is_of_words for term in known}) > 1:
            problems.append(
                f"{EITHER} joins words with words, or filters with filters: not "
                f"{f' {EITHER} '.join(map(str, known))}."
            )
        elif known and (term := _either(known)) not in terms:
            terms.append(term)
    return Search(tuple(terms), tuple(dict.fromkeys(problems)))


def _groups(text: str, problems: list[str]) -> list[list[Term]]:
    """Return the terms; those with OR between them together."""
    groups: list[list[Term]] = []
    joins = False
    for match in _TOKEN.finditer(text):
        if match[0] == EITHER:
            if joins or not groups:
                problems.append(_MISPLACED)
            joins = True
        elif joins and groups:
            groups[-1].append(_term(match))
            joins = False
        else:
            groups.append([_term(match)])
            joins = False
    if joins and groups:
        problems.append(_MISPLACED)
    return groups


_MISPLACED = f'{EITHER} stands between two terms. The word itself is searched as "or".'


def _either(terms: list[Term]) -> Term:
    """Return the one term, or one that stands for all of them."""
    if len(terms) == 1:
        return terms[0]
    return Term(EITHER, f" {EITHER} ".join(map(str, terms)), parts=tuple(terms))


def _term(match: re.Match[str]) -> Term:
    key = (match["key"] or "").lower()
    value = match["bare"] if match["quoted"] is None else match["quoted"]
    return Term(key, value.strip(), bool(match["minus"]))


def _problem(term: Term) -> str:
    """Return a sentence why the term cannot be searched; empty when it can."""
    if not term.key:
        return _check_text(term.value)
    side, _, path = term.key.partition(".")
    if side in SIDES:
        return _check_field(side, path, term.value)
    if term.key not in FIELDS:
        return (
            f"There is no filter {term.key}: (there are {', '.join(FIELDS)}, and input.… and output.… "
            "with the name of a field). Put text with a colon between quotation marks."
        )
    if not term.value:
        return f"{term.key}: needs a value."
    check = _CHECKS.get(term.key)
    return check(term.value) if check else ""


def _check_field(side: str, path: str, value: str) -> str:
    if not field_path(path):
        return f"{side}: needs the name of a field, as in {side}.seed:42."
    return _check_text(value) if value else f"{side}.{path}: needs a value."


def _check_text(value: str) -> str:
    name = value[:-1].lower()
    if value == f"{name}:" and (name in FIELDS or name.partition(".")[0] in SIDES):
        return f"{name}: needs a value."
    if not value:
        return ""
    words = list(words_of(value))
    if not words:
        # A text of invisible characters only would match every row.
        return (
            f"There is no letter or digit in {value}: words and numbers are searched."
            if fold(value)
            else "There is nothing visible to search for."
        )
    if value.endswith("*") and words[-1].isascii() and len(words[-1]) < PREFIX_LETTERS:
        return f"A word with a * needs at least {PREFIX_LETTERS} letters before it: {value}"
    return ""


def _check_moment(value: str) -> str:
    if moments.moment(value, datetime.now(UTC)) is None:
        return (
            f"{value} is no time. There are 2d, 12h, 30m (so long ago), 2026-11-01 and "
            "2026-11-01T14:30 (in UTC)."
        )
    return ""


def _check_duration(value: str) -> str:
    if moments.bound(value) is None:
        return f"{value} is no duration. There are >30s, <2m, >=500ms, 1.5h (at least), 2d."
    return ""


def _check_cost(value: str) -> str:
    if value.lower() != amounts.NONE and amounts.amount_bound(value) is None:
        return f"{value} is no amount. There are >0.5, <=1, 0.02 (at least), and none (not known)."
    return ""


def _check_status(value: str) -> str:
    unknown = [name for name in listed(value) if not statuses_of(name)]
    names = ", ".join([*Status.values, *_GROUPS])
    return f"There is no status {', '.join(unknown)}. There are {names}." if unknown else ""


def _check_mode(value: str) -> str:
    unknown = [name for name in listed(value) if name not in Mode.values]
    return (
        f"There is no mode {', '.join(unknown)}. There are {', '.join(Mode.values)}."
        if unknown
        else ""
    )


def _check_source(value: str) -> str:
    unknown = [name for name in listed(value) if name not in RequestOrigin.values]
    names = ", ".join(RequestOrigin.values)
    return f"There is no source {', '.join(unknown)}. There are {names}." if unknown else ""


def _check_endpoint(value: str) -> str:
    if any("*" in part.strip("*") or not part.strip("*") for part in listed(value)):
        return "In endpoint: a * stands at the beginning or the end, as in acme/*."
    return ""


def _check_tag(value: str) -> str:
    keys = [tag_key(part) for part in value.split(",")]
    return "" if all(key.strip("*") for key in keys) else "tag: needs a name, as in tag:draft."


def _check_group(value: str) -> str:
    wrong = [part for part in listed(value) if key_in(part) is None]
    return "group: takes the id of a group of errors, sixteen digits and letters." if wrong else ""


def _check_starred(value: str) -> str:
    return "" if value.lower() in YES_NO else "starred: takes yes or no."


def _check_has(value: str) -> str:
    unknown = [name for name in listed(value) if name not in HAS]
    return f"There is no has:{unknown[0]}. There are {', '.join(HAS)}." if unknown else ""


_CHECKS: dict[str, Callable[[str], str]] = {
    "status": _check_status,
    "mode": _check_mode,
    "source": _check_source,
    "endpoint": _check_endpoint,
    "after": _check_moment,
    "before": _check_moment,
    "duration": _check_duration,
    "cost": _check_cost,
    "error": _check_text,
    "tag": _check_tag,
    "starred": _check_starred,
    "has": _check_has,
    "group": _check_group,
}


def listed(value: str) -> list[str]:
    """Return the parts of a value, in lower case."""
    return [part for part in (piece.strip().lower() for piece in value.split(",")) if part]


def statuses_of(name: str) -> frozenset[Status]:
    """Return the statuses that a name in a search stands for; none for an unknown name."""
    name = name.replace("-", "_").replace(" ", "_")
    if name in _GROUPS:
        return _GROUPS[name]
    return frozenset({Status(name)}) if name in Status.values else frozenset()

"""What was read from a pasted text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from requests_app.fal.exactjson import Members, Number, write
from requests_app.fal.headers import HEADERS, InvalidHeader, understand
from requests_app.fal.option_kinds import BadValue
from requests_app.fal.options import BY_HEADER, BY_QUERY, Option
from requests_app.models import Mode

MOST_NOTES = 12
# What a backslash and this letter stand for, in a shell's $'…' and in JavaScript.
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
# Headers that say whose call it is; their values are dropped unread.
_SECRET = (
    "auth", "bearer", "cookie", "credential", "csrf", "jwt", "key", "pass", "secret", "session", "sig", "token",
    "xsrf",
)  # fmt: skip


class NotUnderstood(ValueError):
    """The text is no call that the form can make; the message is a sentence for users."""


@dataclass(frozen=True)
class PastedCall:
    """A call. Empty texts: not said. `notes`: sentences on what was left out."""

    endpoint_id: str = ""
    mode: str = Mode.QUEUE
    input_text: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def noting(self, sentences: Iterable[str]) -> PastedCall:
        """Return it with these notes as well, each once."""
        return replace(self, notes=tuple(dict.fromkeys([*self.notes, *sentences]))[:MOST_NOTES])


class Options:
    """Collects options from headers, arguments and query parameters; what is wrong becomes a note."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.notes: list[str] = []

    def header(self, name: str, value: str) -> None:
        """Take a platform header or an own `X-…` one; others belong to the program that was copied."""
        low = name.strip().lower()
        if low in BY_HEADER:
            self._checked({HEADERS: {low: value.strip()}}, f"The header {low}")
        elif not low.startswith("x-"):
            return
        elif any(word in low for word in _SECRET) or low.startswith("x-fal-"):
            self.notes.append(f"The header {low[:64]} was left out.")
        else:
            self._checked({HEADERS: {low: value.strip()}}, f"The header {low[:64]}")

    def query(self, name: str, value: str) -> None:
        """Take a parameter of a submit."""
        if name == "fal_webhook":
            self.webhook()
        elif name in BY_QUERY:
            self.option(BY_QUERY[name], value)

    def webhook(self) -> None:
        """A webhook of the copied program is not this site's."""
        self.notes.append("The webhook address was left out: Faldeck has its own.")

    def option(self, option: Option, value: Any) -> None:
        """Take the argument of a client."""
        text = (
            {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
        )
        try:
            read = option.kind.read(str(text))
        except BadValue as error:
            self.notes.append(f"{option.label} was left out: it {error}")
            return
        self._checked({option.name: read}, option.label)

    def _checked(self, given: Mapping[str, Any], what: str) -> None:
        try:
            known = understand(given)
            both = {**self.found, **known}
            if HEADERS in known:
                both[HEADERS] = {**self.found.get(HEADERS, {}), **_pairs(known[HEADERS])}
            self.found = understand(both)
        except InvalidHeader:
            self.notes.append(f"{what} was left out: it is not one that can be sent.")


def _pairs(value: Any) -> dict[str, str]:
    return dict(value) if isinstance(value, Mapping) else {}


class LeftOut:
    """A value that is no literal; `why` says what it is instead."""

    def __init__(self, why: str) -> None:
        self.why = why


class Budget:
    """Counts the values that are read: variables inside variables can grow without end."""

    def __init__(self, most: int = 200_000) -> None:
        self._left = most

    def take(self) -> None:
        """Raises NotUnderstood when there are too many."""
        self._left -= 1
        if self._left < 0:
            raise NotUnderstood("The call has too many values to be read here.")


def members(pairs: Iterable[tuple[str, Any]], where: str, notes: list[str]) -> Members:
    """Make an object, the last of equal names winning; what is no value is left out with a note."""
    kept: dict[str, Any] = {}
    for name, value in pairs:
        place = f"{where}.{name}"[:120] if where else name[:120]
        kept.pop(name, None)
        if isinstance(value, LeftOut):
            notes.append(f"{place} was left out: {value.why}.")
        else:
            kept[name] = value
    return Members(kept.items())


def json_text(value: Members) -> str:
    """Write the input with every digit as it was written."""
    return write(value)


def plain_number(literal: str) -> Number | None:
    """Return a decimal literal of Python or JavaScript as JSON has it, digit for digit; None if it is
    none: 1_000 is 1000, .5 is 0.5, 5. is 5.0, 0xff is 255.
    """
    text = literal.replace("_", "").lower()
    sign = "-" if text.startswith("-") else ""
    text = text.lstrip("+-")
    if text[:2] in ("0x", "0o", "0b"):
        try:
            return Number(sign + str(int(text, 0)))
        except ValueError:
            return None
    mantissa, mark, exponent = text.partition("e")
    whole, dot, fraction = mantissa.partition(".")
    digits = all(part.isascii() and part.isdecimal() for part in (whole, fraction) if part)
    power = exponent.lstrip("+-")
    if not digits or not (whole or fraction) or (mark and not power.isdecimal()):
        return None
    whole = whole.lstrip("0") or "0"
    return Number(f"{sign}{whole}{'.' + (fraction or '0') if dot else ''}{mark}{exponent}")

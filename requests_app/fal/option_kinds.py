"""The types of platform options. Pure.

Each kind validates a value (and normalizes it for storage), parses it from a header's text and
writes it back. Its error sentences lack their subject, which is the option's label or the header's
name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .jsontext import NotJson, parse_object

MAX_VALUE_BYTES = 1024
MAX_JSON_BYTES = 4096

_PLAIN = re.compile(r"[!-~]([ -~]*[!-~])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?|\.[0-9]+", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,12}", re.ASCII)
_TAG_KEY = re.compile(r"[a-z0-9._-]{1,64}", re.ASCII)
MAX_TAGS, MAX_TAG_VALUE = 10, 256
MAX_RETRIES = 10  # fal's ceiling


class BadValue(ValueError):
    """The value cannot be sent. ``str()`` is a sentence without its subject: "has to be text."."""


def plain(value: object, most: int = MAX_VALUE_BYTES) -> str:
    """Validate text for a header. Raises BadValue."""
    if not isinstance(value, str):
        raise BadValue("has to be text.")
    if len(value) > most:
        raise BadValue(f"may take {most} bytes at most.")
    if not _PLAIN.fullmatch(value):
        raise BadValue("may hold visible ASCII characters only, without spaces at either end.")
    return value


@dataclass(frozen=True)
class OptionKind:
    """Plain text; the base of the other kinds."""

    def check(self, value: object) -> object:
        """Return the value as it is stored. Raises BadValue."""
        return plain(value)

    def read(self, text: str) -> object:
        """Parse a header's text. Raises BadValue."""
        return self.check(text)

    def write(self, value: object) -> str | None:
        """Return the header's text; None when it equals fal's default."""
        return str(value)

    def same(self, one: object, other: object) -> bool:
        """Whether two validated values mean the same."""
        return one == other


@dataclass(frozen=True)
class Text(OptionKind):
    """Free text."""


@dataclass(frozen=True)
class Choice(OptionKind):
    """One of a few words. ``words`` maps them to labels; ``usual`` is fal's default."""

    words: Mapping[str, str]
    usual: str

    def check(self, value: object) -> object:
        if not isinstance(value, str) or value not in self.words:
            raise BadValue(f"is {' or '.join(json.dumps(word) for word in self.words)}.")
        return value

    def read(self, text: str) -> object:
        return self.check(text.lower())


@dataclass(frozen=True)
class Seconds(OptionKind):
    """A number of seconds, to the millisecond."""

    above: float
    most: float = 10_000_000

    def check(self, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValue("is a number of seconds.")
        if not (math.isfinite(value) and self.above < round(value, 3) <= self.most):
            raise BadValue(
                f"has to be more than {self.above} seconds and at most {self.most:,.0f}."
            )
        return value

    def read(self, text: str) -> object:
        if not _NUMBER.fullmatch(text):
            raise BadValue("is a number of seconds.")
        return self.check(float(text))

    def write(self, value: object) -> str | None:
        return f"{value:.3f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Count(OptionKind):
    """A whole number."""

    least: int
    most: int

    def check(self, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadValue("is a whole number.")
        if not self.least <= value <= self.most:
            raise BadValue(f"has to be between {self.least} and {self.most:,}.")
        return value

    def read(self, text: str) -> object:
        if not _WHOLE.fullmatch(text):
            raise BadValue("is a whole number.")
        return self.check(int(text))


@dataclass(frozen=True)
class Switch(OptionKind):
    """On, or left out. ``on`` are the words fal accepts for it; the first is written."""

    on: tuple[str, ...]

    def check(self, value: object) -> object:
        if not isinstance(value, bool):
            raise BadValue("is either true or false.")
        return value

    def read(self, text: str) -> object:
        if text.lower() not in self.on:
            words = " or ".join(json.dumps(word) for word in self.on)
            raise BadValue(f"is {words}; leave it out for the opposite.")
        return True

    def write(self, value: object) -> str | None:
        return self.on[0] if value else None


@dataclass(frozen=True)
class OnOff(OptionKind):
    """Yes or no, each of which overrides the account's own setting."""

    yes: str
    no: str

    def check(self, value: object) -> object:
        if not isinstance(value, bool):
            raise BadValue("is either true or false.")
        return value

    def read(self, text: str) -> object:
        if text not in ("0", "1"):
            raise BadValue('is "0" or "1".')
        return text == "1"

    def write(self, value: object) -> str | None:
        return "1" if value else "0"


@dataclass(frozen=True)
class JsonObject(OptionKind):
    """A JSON object, stored and sent as the text it was written as.

    fal silently ignores text it cannot parse, so such text is refused here.
    """

    example: str

    def check(self, value: object) -> object:
        text = _written(value) if isinstance(value, Mapping) else value
        text = plain(text, MAX_JSON_BYTES)
        try:
            members = parse_object(text.encode("ascii"))
        except NotJson as exc:
            raise BadValue(f"has to be a JSON object, such as {self.example}.") from exc
        self.check_members(members)
        return text

    def check_members(self, members: Mapping[str, object]) -> None:
        """Check the members fal documents. Raises BadValue."""

    def same(self, one: object, other: object) -> bool:
        return parse_object(str(one).encode()) == parse_object(str(other).encode())


def _written(value: Mapping[object, object]) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as exc:
        raise BadValue("has to be a JSON object.") from exc


@dataclass(frozen=True)
class Lifecycle(JsonObject):
    """How long the files of a request live, and who may read them."""

    def check_members(self, members: Mapping[str, object]) -> None:
        seconds = members.get("expiration_duration_seconds")
        if seconds is not None and not (_is_number(seconds) and seconds > 0):  # type: ignore[operator]
            raise BadValue(
                "has an expiration_duration_seconds that is no positive number; null keeps the files."
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class Retries(JsonObject):
    """How often fal retries, by reason."""

    def check_members(self, members: Mapping[str, object]) -> None:
        for reason, rule in members.items():
            retries = rule.get("retries", 0) if isinstance(rule, Mapping) else None
            if retries not in range(MAX_RETRIES + 1) or isinstance(retries, bool):
                raise BadValue(f'says for {reason!r} something else than {{"retries": 0 to 10}}.')


@dataclass(frozen=True)
class Tags(OptionKind):
    """``key=value,key=value``; a mapping is accepted too. fal silently drops invalid pairs."""

    def check(self, value: object) -> object:
        if isinstance(value, Mapping):
            value = ",".join(f"{key}={word}" for key, word in _of_words(value))
        text = plain(value)
        pairs = text.split(",")
        if len(pairs) > MAX_TAGS:
            raise BadValue(f"holds {MAX_TAGS} pairs at most.")
        for pair in pairs:
            key, equals, word = pair.partition("=")
            is_key = _TAG_KEY.fullmatch(key) and not key.startswith("fal.")
            if not (equals and is_key and 1 <= len(word) <= MAX_TAG_VALUE):
                raise BadValue(
                    "is written key=value,key=value: keys of a-z, 0-9, dot, dash and underscore "
                    "(64 at most, not starting with fal.), values of 256 at most, without a comma."
                )
        return text


def _of_words(value: Mapping[object, object]) -> list[tuple[str, str]]:
    pairs = [(key, word) for key, word in value.items() if isinstance(key, str)]
    if not all(isinstance(word, str) and "," not in word and "," not in key for key, word in pairs):
        raise BadValue("has values that are no text, or hold a comma.")
    return [(key, str(word)) for key, word in pairs]

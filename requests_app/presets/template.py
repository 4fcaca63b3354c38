"""An input with variables such as `{{subject}}` in its strings, filled in token by token. Pure.

A value is a JSON token, such as `"a cat"`, `7.50` or `{"width": 512}`, and is never parsed and written again:
no digit and no escape changes. Where a string consists of one variable alone, the value takes the string's
place; inside a longer string it becomes text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from requests_app.catalogue.pointer import pointer
from requests_app.fal.exactjson import TOKEN

NAME = r"\w[\w.-]{0,63}"
VARIABLE = re.compile(r"\{\{\s*(" + NAME + r")\s*\}\}")
MOST_VARIABLES = 50
# How a value stands where a string is one variable alone: as it is, as the JSON its text spells, or not at all.
AS_IS, AS_JSON, LEFT_OUT = "t", "j", "o"


class InvalidTemplate(ValueError):
    """The input's variables cannot be used; the message is a sentence."""


class NoValue(ValueError):
    """A variable inside a text has no value. `name`: which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no value for {{{{{name}}}}}, which stands inside a text.")
        self.name = name


@dataclass(frozen=True)
class Whole:
    """A string that is one variable alone. `path`: its JSON pointer; `number`: its place among its like."""

    name: str
    path: str
    number: int


@dataclass(frozen=True)
class Mixed:
    """A string with variables inside: texts (without quotes, escaped) and names in turn."""

    parts: tuple[str, ...]  # text, name, text, name, … text
    path: str

    @property
    def names(self) -> tuple[str, ...]:
        return self.parts[1::2]


@dataclass
class _Branch:
    """An object or list on the way to a variable: the texts before its children, and the children."""

    signs: str
    children: list[tuple[str, _Node]] = field(default_factory=list)


_Node = str | Whole | Mixed | _Branch  # a text without variables stays as it was written


class Template:
    """A JSON object in which strings may have variables. `text` must have been validated as an input."""

    def __init__(self, text: str) -> None:
        self.size = len(text)  # characters
        self._wholes: list[Whole] = []
        self._root = _Reader(text, self._wholes).read()
        if len(self.names) > MOST_VARIABLES:
            raise InvalidTemplate(f"An input has {MOST_VARIABLES} variables at most.")

    @property
    def wholes(self) -> Sequence[Whole]:
        """The strings that are one variable alone, in their order."""
        return self._wholes

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variables, each once, in their order in the text."""
        return tuple(dict.fromkeys([name for _, name in self.uses]))

    @cached_property
    def uses(self) -> list[tuple[str, str]]:
        """Path and name of each use of a variable."""
        found: list[tuple[str, str]] = []
        waiting: list[_Node] = [self._root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, Whole):
                found.append((node.path, node.name))
            elif isinstance(node, Mixed):
                found.extend((node.path, name) for name in node.names)
            elif isinstance(node, _Branch):
                waiting.extend(child for _, child in reversed(node.children))
        return found

    def name_at(self, path: str) -> str | None:
        """The variable that decides the value at this JSON pointer, or at one it lies in."""
        for place, name in self.uses:
            if path == place or path.startswith(f"{place}/"):
                return name
        return None

    def fill(self, values: Mapping[str, str], readings: str = "") -> str:
        """Return the input's text. `values`: JSON tokens by name; without one the member is left out.

        `readings`: one sign for each of `wholes` (AS_IS when it is too short). Raises NoValue.
        """
        return "".join(_written(self._root, values, readings))


def _written(node: _Node, values: Mapping[str, str], readings: str) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Whole):
        token = values[node.name]
        yield text_of(token) if readings[node.number : node.number + 1] == AS_JSON else token
    elif isinstance(node, Mixed):
        yield _mixed(node, values)
    else:
        yield node.signs[0]
        separator = ""
        for before, child in node.children:
            if not (isinstance(child, Whole) and _is_left_out(child, values, readings)):
                yield f"{separator}{before}"
                yield from _written(child, values, readings)
                separator = ", "
        yield node.signs[1]


def _is_left_out(whole: Whole, values: Mapping[str, str], readings: str) -> bool:
    reading = readings[whole.number : whole.number + 1]
    return reading == LEFT_OUT or not values.get(whole.name)


def _mixed(node: Mixed, values: Mapping[str, str]) -> str:
    written = ['"']
    for number, part in enumerate(node.parts):
        if number % 2 == 0:
            written.append(part)
        elif token := values.get(part):
            # A string's own escapes stay; another value is the text that it was written as.
            written.append(token[1:-1] if token.startswith('"') else token_of(token)[1:-1])
        else:
            raise NoValue(part)
    return "".join([*written, '"'])


def token_of(text: str) -> str:
    """Return the JSON string of a text."""
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character can only be sent as an escape
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)


def text_of(token: str) -> str:
    """Return what a JSON string says; any other token is its own text."""
    return str(json.loads(token)) if token.startswith('"') else token


class _Reader:
    """Reads the tokens of a valid JSON object into nodes; only what leads to a variable is taken apart."""

    def __init__(self, text: str, wholes: list[Whole]) -> None:
        self._text = text
        self._tokens = [(match[0], match.start(), match.end()) for match in TOKEN.finditer(text)]
        self._at = 0
        self._wholes = wholes

    def read(self) -> _Node:
        return self._value(())

    def _value(self, path: tuple[str | int, ...]) -> _Node:
        word, start, _ = self._tokens[self._at]
        self._at += 1
        if word == "{":
            return self._branch("{}", path, start)
        if word == "[":
            return self._branch("[]", path, start)
        return self._string(word, path) if word.startswith('"') else word

    def _branch(self, signs: str, path: tuple[str | int, ...], start: int) -> _Node:
        branch = _Branch(signs)
        while (token := self._tokens[self._at])[0] != signs[1]:
            if token[0] == ",":
                self._at += 1
                continue
            if signs == "{}":
                name = self._name()
                branch.children.append((f"{token[0]}: ", self._value((*path, name))))
            else:
                branch.children.append(("", self._value((*path, len(branch.children)))))
        self._at += 1
        if all(isinstance(child, str) for _, child in branch.children):
            return self._text[start : token[2]]
        return branch

    def _name(self) -> str:
        token = self._tokens[self._at][0]
        self._at += 2  # with its colon
        name = text_of(token)
        if VARIABLE.search(name):
            raise InvalidTemplate(f"A variable cannot be in a name: {name[:80]!r}.")
        return name

    def _string(self, token: str, path: tuple[str | int, ...]) -> _Node:
        said = text_of(token)
        count = len(VARIABLE.findall(said))
        if not count:
            return token
        parts = tuple(VARIABLE.split(token[1:-1]))
        if len(parts) != 2 * count + 1:  # braces or names were written as escapes
            parts = tuple(VARIABLE.split(token_of(said)[1:-1]))
        if len(parts) == 3 and not parts[0] and not parts[2]:
            whole = Whole(parts[1], pointer(path), len(self._wholes))
            self._wholes.append(whole)
            return whole
        return Mixed(parts, pointer(path))

"""A JavaScript or TypeScript snippet: a call of @fal-ai/client, or a fetch to fal's address.

Parsed by tree-sitter, which reads what surrounds the call as well; never run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from requests_app.fal.exactjson import Members, Number
from requests_app.fal.options import OPTIONS
from requests_app.forms.paste.addresses import Addresses
from requests_app.forms.paste.call import (
    ESCAPED,
    Budget,
    LeftOut,
    NotUnderstood,
    PastedCall,
    members,
    plain_number,
)
from requests_app.forms.paste.clients import VERBS, Parts, call_of, is_target, only_first

MOST_DEPTH = 100
_LANGUAGE = Language(tree_sitter_typescript.language_tsx())
_BY_ARGUMENT = {option.javascript.name: option for option in OPTIONS if option.javascript}
_FETCHES = frozenset({"fetch", "post", "axios"})
# A text without one of these words has no call, and is not parsed: a long one takes seconds.
_CALLED = re.compile(r"\b(?:" + "|".join(sorted(VERBS.keys() | _FETCHES)) + r")\b")
_NOT_HERE = "it is computed by the program"
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r?\n|.)", re.DOTALL)
_ESCAPED = {**ESCAPED, "0": "\0", "\n": ""}
_WRAPPERS = frozenset(
    {
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "await_expression",
    }
)
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_UNDEFINED = object()  # a member that JSON.stringify leaves out


def read_javascript(text: str, addresses: Addresses) -> PastedCall | None:
    """Return the first call; None without one. Raises NotUnderstood."""
    if not _CALLED.search(text):
        return None
    root = Parser(_LANGUAGE).parse(text.encode("utf-8", "replace")).root_node
    found = list(_Reader(root, addresses).calls())
    if not found:
        return None
    return call_of(found[0], addresses, _BY_ARGUMENT).noting(only_first(len(found)))


class _Reader:
    def __init__(self, root: Node, addresses: Addresses) -> None:
        self._root = root
        self._addresses = addresses
        self._notes: list[str] = []
        self._budget = Budget()
        self._names: dict[str, Node | None] = {}
        for node in _walk(root):
            self._note_variable(node)

    def calls(self) -> Iterator[Parts]:
        """Yield each call to fal, in the order of the text."""
        for node in _walk(self._root):
            if node.type != "call_expression":
                continue
            self._notes = []
            if (parts := self._call(node)) is not None:
                if node.has_error:
                    line = node.start_point[0] + 1
                    raise NotUnderstood(
                        f"The JavaScript of the call in line {line} cannot be read."
                    )
                parts.notes = self._notes
                yield parts

    def _note_variable(self, node: Node) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if node.type == "variable_declarator" and name is not None and name.type == "identifier":
            text = _text(name)
            self._names[text] = None if text in self._names else value
        elif node.type in ("assignment_expression", "augmented_assignment_expression"):
            left = node.child_by_field_name("left")
            if left is not None and left.type == "identifier":
                self._names[_text(left)] = None

    def _call(self, node: Node) -> Parts | None:
        function, given = (
            node.child_by_field_name("function"),
            node.child_by_field_name("arguments"),
        )
        if function is None or given is None or given.type != "arguments":
            return None
        last = function.child_by_field_name("property") or function
        verb, arguments = _text(last), _named_children(given)
        if not arguments or verb not in (VERBS.keys() | _FETCHES):
            return None
        target = self.value(arguments[0], "")
        second = self._pairs_of(arguments[1]) if len(arguments) > 1 else {}
        if verb in VERBS and is_target(target):
            return self._of_client(verb, target, second)
        if verb in _FETCHES and isinstance(target, str) and self._addresses.is_of_fal(target):
            return self._of_fetch(verb, target, arguments, second)
        return None

    def _of_client(self, verb: str, target: str, given: dict[str, Node]) -> Parts:
        parts = Parts(verb, target)
        parts.input = self.value(given["input"], "") if "input" in given else None
        parts.path = self.value(given["path"], "") if "path" in given else None
        parts.headers = self.value(given["headers"], "") if "headers" in given else None
        known = {"input", "path", "headers"}
        parts.arguments = [
            (name, self.value(node, "")) for name, node in given.items()
            if name not in known and not _is_function(node)
        ]  # fmt: skip
        return parts

    def _of_fetch(
        self, verb: str, target: str, arguments: list[Node], given: dict[str, Node]
    ) -> Parts:
        body = (
            given.get("body") if verb == "fetch" else arguments[1] if len(arguments) > 1 else None
        )
        if verb != "fetch":
            given = self._pairs_of(arguments[2]) if len(arguments) > 2 else {}
        return Parts(
            "post",
            target,
            input=None if body is None else self.value(_stringified(body), ""),
            headers=self.value(given["headers"], "") if "headers" in given else None,
            is_url=True,
        )

    def _pairs_of(self, node: Node) -> dict[str, Node]:
        """Return the members of an object literal, or of a variable that is one."""
        node = _unwrapped(node)
        if node.type == "identifier":
            known = self._names.get(_text(node))
            node = node if known is None else _unwrapped(known)
        found: dict[str, Node] = {}
        for child in _named_children(node) if node.type == "object" else ():
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if child.type == "pair" and key is not None and value is not None:
                found[self._key(key)] = value
            elif child.type == "shorthand_property_identifier":
                found[_text(child)] = child
        return found

    # --- values ---

    def value(self, node: Node, where: str, depth: int = 0) -> Any:
        """Return the literal as JSON has it, numbers as they are written; LeftOut for anything else."""
        self._budget.take()
        if depth > MOST_DEPTH:
            return LeftOut("it is nested too deeply")
        node = _unwrapped(node)
        if node.type in _WORDS:
            return _WORDS[node.type]
        match node.type:
            case "undefined":
                return _UNDEFINED
            case "string":
                return _decoded(_text(node)[1:-1])
            case "template_string":
                return self._template(node)
            case "number":
                number = plain_number(_number_text(_text(node)))
                return LeftOut("it is no number that JSON has") if number is None else number
            case "object":
                return members(self._pairs(node, where, depth), where, self._notes)
            case "array":
                return self._items(node, where, depth)
            case "identifier" | "shorthand_property_identifier":
                return self._named(_text(node), where, depth)
            case "unary_expression":
                return self._signed(node, where, depth)
            case "binary_expression":
                return self._joined(node, where, depth)
        return LeftOut(_NOT_HERE)

    def _pairs(self, node: Node, where: str, depth: int) -> Iterator[tuple[str, Any]]:
        for child in _named_children(node):
            key, given = child.child_by_field_name("key"), child.child_by_field_name("value")
            if child.type == "pair" and key is not None and given is not None:
                name = self._key(key)
                found = self.value(given, f"{where}.{name}" if where else name, depth + 1)
            elif child.type == "shorthand_property_identifier":
                name = _text(child)
                found = self.value(child, f"{where}.{name}" if where else name, depth + 1)
            elif child.type == "spread_element":
                inner = self.value(_named_children(child)[0], where, depth + 1)
                if isinstance(inner, Members):
                    yield from inner
                    continue
                name, found = "...", LeftOut(_NOT_HERE)
            else:
                name, found = "a member", LeftOut(_NOT_HERE)
            if found is not _UNDEFINED:
                yield name, found

    def _key(self, node: Node) -> str:
        if node.type == "string":
            text = _decoded(_text(node)[1:-1])
            return text if isinstance(text, str) else ""
        if node.type == "number":
            return str(plain_number(_number_text(_text(node))) or "")
        return _text(node)

    def _items(self, node: Node, where: str, depth: int) -> Any:
        nodes = _named_children(node)
        found = [self.value(one, f"{where}[{at}]", depth + 1) for at, one in enumerate(nodes)]
        wrong = next((one for one in found if isinstance(one, LeftOut)), None)
        return wrong or [None if one is _UNDEFINED else one for one in found]

    def _named(self, name: str, where: str, depth: int) -> Any:
        if (node := self._names.get(name)) is None:
            return LeftOut("it is a variable, whose value is not in the text")
        return self.value(node, where, depth + 10)

    def _signed(self, node: Node, where: str, depth: int) -> Any:
        sign = node.child_by_field_name("operator")
        inner = node.child_by_field_name("argument")
        number = self.value(inner, where, depth + 1) if inner is not None else None
        if not isinstance(number, Number) or sign is None or _text(sign) not in ("-", "+"):
            return LeftOut(_NOT_HERE)
        if _text(sign) == "+":
            return number
        return Number(number[1:] if number.startswith("-") else f"-{number}")

    def _joined(self, node: Node, where: str, depth: int) -> Any:
        sides = [node.child_by_field_name("left"), node.child_by_field_name("right")]
        sign = node.child_by_field_name("operator")
        texts = [self.value(one, where, depth + 1) for one in sides if one is not None]
        is_text = all(isinstance(one, str) and not isinstance(one, Number) for one in texts)
        if is_text and sign is not None and _text(sign) == "+":
            return "".join(texts)
        return LeftOut("it is put together by the program")

    def _template(self, node: Node) -> Any:
        if any(child.type == "template_substitution" for child in node.children):
            return LeftOut("it is put together by the program")
        return _decoded(_text(node)[1:-1])


def _walk(node: Node) -> Iterator[Node]:
    """Yield all nodes in the order of the text, without recursion."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(one.children))


def _named_children(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _unwrapped(node: Node) -> Node:
    while node.type in _WRAPPERS and (inner := _named_children(node)):
        node = inner[0]
    return node


def _is_function(node: Node) -> bool:
    return node.type in ("arrow_function", "function_expression", "method_definition")


def _stringified(node: Node) -> Node:
    """Return what JSON.stringify(…) is called with."""
    node = _unwrapped(node)
    function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is not None and given is not None and _text(function) == "JSON.stringify":
        return (_named_children(given) or [node])[0]
    return node


def _number_text(text: str) -> str:
    """Without the n of a large whole number."""
    return text.removesuffix("n")


def _decoded(text: str) -> str | LeftOut:
    """Replace the escapes of a string literal."""

    def one(match: re.Match[str]) -> str:
        code = match[1].replace("\r", "") if match[1] != "\r" else match[1]
        if code[0] in "ux" and len(code) > 1:
            number = int(code[1:].strip("{}"), 16)
            return chr(number) if number <= 0x10FFFF else "\ufffd"
        return _ESCAPED.get(code, code)

    try:
        return _ESCAPE.sub(one, text).encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return LeftOut("it has half a character")

"""A Python snippet: a call of fal_client, or a POST to fal's address. Read as a tree, never run."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from requests_app.fal.exactjson import Members, Number
from requests_app.fal.options import OPTIONS
from requests_app.forms.paste.addresses import Addresses
from requests_app.forms.paste.call import Budget, LeftOut, PastedCall, members, plain_number
from requests_app.forms.paste.clients import VERBS, Parts, call_of, is_target, only_first

MOST_DEPTH = 100
_PROMPT = re.compile(r"^(>>>|\.\.\.) ?", re.MULTILINE)
_NOTEBOOK = re.compile(r"^[ \t]*[!%].*$", re.MULTILINE)
_BY_ARGUMENT = {option.python.name: option for option in OPTIONS if option.python}
_POSTS = frozenset({"post", "request", "stream"})
_NOT_HERE = "it is computed by the program"


def read_python(text: str, addresses: Addresses) -> PastedCall | None:
    """Return the first call; None without one. Raises SyntaxError for what is no Python."""
    source = textwrap.dedent(_NOTEBOOK.sub("", _PROMPT.sub("", text)))
    try:
        tree = ast.parse(source)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from None
    found = list(_Reader(source, tree, addresses).calls())
    if not found:
        return None
    return call_of(found[0], addresses, _BY_ARGUMENT).noting(only_first(len(found)))


class _Reader:
    def __init__(self, source: str, tree: ast.Module, addresses: Addresses) -> None:
        self._lines = [line.encode() for line in source.split("\n")]
        self._tree = tree
        self._addresses = addresses
        self._notes: list[str] = []
        self._budget = Budget()
        self._names = _assigned(tree)

    def calls(self) -> Iterator[Parts]:
        """Yield each call to fal, in the order of the text."""
        nodes = [node for node in ast.walk(self._tree) if isinstance(node, ast.Call)]
        for node in sorted(nodes, key=lambda one: (one.lineno, one.col_offset)):
            self._notes = []
            if (parts := self._call(node)) is not None:
                parts.notes = self._notes
                yield parts

    def _call(self, node: ast.Call) -> Parts | None:
        verb = _name_of(node.func)
        if (verb not in VERBS and verb not in _POSTS) or self._is_javascript(node):
            return None
        named = {one.arg: one.value for one in node.keywords if one.arg}
        first = node.args[0] if node.args else named.get("application") or named.get("url")
        if verb == "request" and len(node.args) > 1:
            first = node.args[1]
        target = self.value(first, "") if first is not None else None
        if verb in VERBS and is_target(target):
            return self._of_client(verb, target, node, named)
        if verb in _POSTS and isinstance(target, str) and self._addresses.is_of_fal(target):
            return self._of_post(target, named)
        return None

    def _is_javascript(self, node: ast.Call) -> bool:
        """Whether an object has bare names: {input: {}} is JavaScript, although Python parses it."""
        objects = (one for one in ast.walk(node) if isinstance(one, ast.Dict))
        keys = (key for one in objects for key in one.keys if isinstance(key, ast.Name))
        return any(key.id not in self._names for key in keys)

    def _of_client(
        self, verb: str, target: Any, node: ast.Call, named: dict[str, ast.expr]
    ) -> Parts:
        given = node.args[1] if len(node.args) > 1 else named.get("arguments")
        parts = Parts(verb, target)
        parts.input = None if given is None else self.value(given, "")
        parts.path = self.value(named["path"], "path") if "path" in named else None
        parts.headers = self.value(named["headers"], "") if "headers" in named else None
        known = {"application", "arguments", "path", "headers"}
        parts.arguments = [
            (name, self.value(value, "")) for name, value in named.items() if name not in known
        ]
        return parts

    def _of_post(self, target: str, named: dict[str, ast.expr]) -> Parts:
        given = named.get("json") or _dumped(named.get("data") or named.get("content"))
        return Parts(
            "post",
            target,
            input=None if given is None else self.value(given, ""),
            headers=self.value(named["headers"], "") if "headers" in named else None,
            is_url=True,
        )

    # --- values ---

    def value(self, node: ast.expr, where: str, depth: int = 0) -> Any:
        """Return the literal as JSON has it, numbers as they are written; LeftOut for anything else."""
        self._budget.take()
        if depth > MOST_DEPTH:
            return LeftOut("it is nested too deeply")
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Dict():
                return members(self._pairs(node, where, depth), where, self._notes)
            case ast.List() | ast.Tuple():
                return self._items(node.elts, where, depth)
            case ast.Name(id=name):
                return self._named(name, where, depth)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                return self._signed(node, where, depth)
            case ast.BinOp(op=ast.Add()):
                return self._joined([node.left, node.right], where, depth)
            case ast.JoinedStr():
                return self._joined(node.values, where, depth)
            case ast.Call(func=ast.Name(id="dict"), args=[]):
                pairs = (
                    (one.arg or "", self.value(one.value, where, depth + 1))
                    for one in node.keywords
                )
                return members(pairs, where, self._notes)
        return LeftOut(_NOT_HERE)

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            is_whole = not any("\ud800" <= sign <= "\udfff" for sign in value)
            return value if is_whole else LeftOut("it has half a character")
        if isinstance(value, int | float):
            number = plain_number(self._text(node))
            return LeftOut("it is no number that JSON has") if number is None else number
        return LeftOut("JSON has nothing like it")

    def _text(self, node: ast.expr) -> str:
        """Return the source of a literal on one line; ast's own helper splits the text each time."""
        line = self._lines[node.lineno - 1]
        return line[node.col_offset : node.end_col_offset].decode()

    def _pairs(self, node: ast.Dict, where: str, depth: int) -> Iterator[tuple[str, Any]]:
        for key, given in zip(node.keys, node.values, strict=True):
            if key is None:
                inner = self.value(given, where, depth + 1)
                if isinstance(inner, Members):
                    yield from inner
                else:
                    yield "**", LeftOut(_NOT_HERE)
                continue
            name = self.value(key, where, depth + 1)
            if isinstance(name, str):
                yield name, self.value(given, f"{where}.{name}" if where else name, depth + 1)
            else:
                yield "a member", LeftOut("its name is no text")

    def _items(self, nodes: list[ast.expr], where: str, depth: int) -> Any:
        found = [self.value(one, f"{where}[{at}]", depth + 1) for at, one in enumerate(nodes)]
        wrong = next((one for one in found if isinstance(one, LeftOut)), None)
        return wrong or found  # a list without one of its items would be another list

    def _named(self, name: str, where: str, depth: int) -> Any:
        if (node := self._names.get(name)) is None:
            return LeftOut("it is a variable, whose value is not in the text")
        return self.value(node, where, depth + 10)

    def _signed(self, node: ast.UnaryOp, where: str, depth: int) -> Any:
        number = self.value(node.operand, where, depth + 1)
        if not isinstance(number, Number):
            return LeftOut(_NOT_HERE)
        if isinstance(node.op, ast.UAdd):
            return number
        return Number(number[1:] if number.startswith("-") else f"-{number}")

    def _joined(self, nodes: list[ast.expr], where: str, depth: int) -> Any:
        texts = [self.value(one, where, depth + 1) for one in nodes]
        if all(isinstance(one, str) and not isinstance(one, Number) for one in texts):
            return "".join(texts)
        return LeftOut("it is put together by the program")


def _assigned(tree: ast.Module) -> dict[str, ast.expr | None]:
    """Return variables that are set once, with their values; None for those that change."""
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = None if name in found else value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = None if name in found else value
            case ast.AugAssign(target=ast.Name(id=name)):
                found[name] = None
    return found


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _dumped(node: ast.expr | None) -> ast.expr | None:
    """Return what json.dumps(…) is called with."""
    if isinstance(node, ast.Call) and _name_of(node.func) == "dumps" and node.args:
        return node.args[0]
    return node

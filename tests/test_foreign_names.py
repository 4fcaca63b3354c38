"""Every internal name of a library that we use or override, and the place where the library uses it.

These names are no promise of their libraries. An upgrade that renames one, or no longer calls it, would
turn an override into dead code without a word; here it is a failure that says which. Why each group is
there: docs/design.md, "What we override, and why".
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.foreign_names import DOCUMENTED, LIBRARIES, PUBLIC, USED
from tests.source import module_of, nodes_of, text_of, tree_of, under

EACH = [(path, name, place) for path, names in USED.items() for name, place in names.items()]


# --- the library still uses the name ---------------------------------------------------------------


def test_the_libraries_still_use_each_name() -> None:
    faults = [fault for path, name, place in EACH if (fault := fault_of(path, name, place))]
    assert not faults, "\n".join(faults)


def fault_of(path: str, name: str, place: str) -> str:
    """What is wrong with a line of the table; empty when it holds."""
    module, _, inside = place.partition(":")
    body = found_in(library(module), inside)
    if body is None:
        return f"{place} is gone; {path} needs its {name}"
    used = any(name == one or (" " in name and name in one) for one in mentions(body))
    return "" if used else f"{place} no longer uses {name}, which {path} counts on"


@cache
def library(module: str) -> ast.Module:
    found = find_spec(module)
    assert found, f"{module} is gone"
    assert found.origin
    return ast.parse(Path(found.origin).read_text(encoding="utf-8"))


def found_in(tree: ast.AST, path: str) -> ast.AST | None:
    """The class or function of this dotted path, also one inside an `if` or a function."""
    at: ast.AST | None = tree
    for name in path.split("."):
        at = next(
            (node for node in ast.walk(at) if getattr(node, "name", None) == name and node is not at),
            None,
        ) if at else None  # fmt: skip
    return at


def mentions(body: ast.AST) -> Iterator[str]:
    """Names, attributes, arguments and texts, and the body's own name: it defines that one."""
    yield getattr(body, "name", "")
    for node in ast.walk(body):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# --- the table is whole ----------------------------------------------------------------------------


def test_every_listed_name_is_one_that_we_use() -> None:
    unused = [(path, name) for path, name, _ in EACH if name not in text_of(path)]
    assert unused == []


def our_subclasses() -> Iterator[tuple[str, type]]:
    """Our classes below a library's, with their files."""
    for path in under("dashboard/", "requests_app/"):
        if path.endswith("__main__.py") or "/management/" in path:
            continue
        module = importlib.import_module(module_of(path))
        for one in vars(module).values():
            if inspect.isclass(one) and one.__module__ == module.__name__ and foreign(one):
                yield path, one


def foreign(one: type) -> list[type]:
    return [base for base in one.__mro__ if base.__module__.startswith(LIBRARIES)]


def test_every_override_is_in_the_table() -> None:
    """Also what a class only takes for an override: the library's classes must have the name."""
    missing = []
    for path, one in our_subclasses():
        for name in vars(one):
            is_override = any(name in vars(base) for base in foreign(one))
            if is_override and not name.startswith("__") and name not in PUBLIC:
                missing += [] if name in USED.get(path, {}) else [f"{path}: {one.__name__}.{name}"]
    assert missing == []


def test_every_listed_override_still_overrides() -> None:
    """A method of ours with a listed name stands above one of the library's, or is called by its name."""
    called_by_name = {"stopProducing", "protocol"}
    idle = [
        f"{path}: {one.__name__}.{name}"
        for path, one in our_subclasses()
        for name in vars(one)
        if name in USED.get(path, {}) and name not in called_by_name
        and not any(name in vars(base) for base in foreign(one))
    ]  # fmt: skip
    assert idle == []


def test_every_private_name_of_a_library_is_in_the_table() -> None:
    ours, paths = set(DOCUMENTED), under("dashboard/", "requests_app/")
    for path in paths:
        ours |= set(defined(tree_of(path)))
    listed = {name for names in USED.values() for name in names}
    unknown = [
        f"{path}:{node.lineno} {node.attr}"
        for path in paths
        for node in nodes_of(path)
        if isinstance(node, ast.Attribute) and is_private(node.attr)
        and node.attr not in ours | listed
    ]  # fmt: skip
    assert unknown == []


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def defined(tree: ast.AST) -> Iterator[str]:
    """Every private name the module defines: functions, classes, variables, attributes that it sets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


# --- and told --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", USED)
def test_the_design_names_the_libraries_and_says_why(path: str) -> None:
    told = (
        text_of("docs/design.md").partition("## What we override, and why")[2].partition("\n## ")[0]
    )
    rows = "".join(row for row in told.splitlines() if f"`{path}`" in row).lower()
    assert rows
    libraries = {place.partition(":")[0].partition(".")[0] for place in USED[path].values()}
    assert {name for name in libraries if name.replace("httpx_", "httpx-") not in rows} == set()

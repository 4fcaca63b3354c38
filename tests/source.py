"""The project's own files as data, for tests that judge the source: no module is imported here."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@cache
def kept_files() -> tuple[str, ...]:
    """Paths of what belongs to the repository: tracked, or new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return tuple(sorted(path for path in done.stdout.split("\0") if (ROOT / path).is_file()))


def under(*folders: str, suffix: str = ".py") -> list[str]:
    """Those below one of the folders ("" for all), by their ending; migrations left out."""
    return [
        path
        for path in kept_files()
        if path.endswith(suffix)
        and any(path.startswith(folder) for folder in folders)
        and "/migrations/" not in path
    ]


def text_of(path: str) -> str:
    """The file's text; raises UnicodeDecodeError for a binary one."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree_of(path: str) -> ast.Module:
    """The parsed module."""
    return ast.parse(text_of(path), filename=path)


@cache
def nodes_of(path: str) -> tuple[ast.AST, ...]:
    """All nodes of the parsed module: many tests look at each file, and the walk takes longest."""
    return tuple(ast.walk(tree_of(path)))


def module_of(path: str) -> str:
    """The dotted name under which the file is imported."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports_of(path: str) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything imported, also inside functions.

    `from a import b` gives `a.b`, which may be a module or a name in one: enough to judge by prefix.
    """
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(path, node)
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def _base(path: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = path.split("/")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def is_in(name: str, *packages: str) -> bool:
    """Whether the dotted name is one of the packages or below it."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def calls_in(path: str) -> Iterator[tuple[int, str, ast.Call]]:
    """Line, last part of the called name, and the call."""
    for node in nodes_of(path):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.lineno, node.func.attr, node
            elif isinstance(node.func, ast.Name):
                yield node.lineno, node.func.id, node


def functions_in(path: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the function without its docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None:
        return total
    return total - ((first.end_lineno or first.lineno) - first.lineno + 1)

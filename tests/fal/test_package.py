"""The package as a whole: what it exports, and what it must not know."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import requests_app.fal as package

MODULES = sorted(Path(package.__file__).parent.glob("*.py"))


def test_every_exported_name_exists() -> None:
    for name in package.__all__:
        assert hasattr(package, name), name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_it_knows_fal_and_not_us(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1, f"{path.name} reaches out of the package"
            continue
        else:
            continue
        for name in names:
            assert name.split(".")[0] not in {
                "django",
                "channels",
                "celery",
                "requests_app",
                "dashboard",
            }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_map_names_every_module(path: Path) -> None:
    if path.stem != "__init__":
        assert path.stem in (package.__doc__ or "")

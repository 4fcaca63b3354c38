"""Tests mirror the source, both ways: one test module for each module, and no test module about nothing."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

from tests import mirror
from tests.source import kept_files, tree_of, under
from tests.test_architecture import APP, none_of

# Stories over several modules mirror none of them.
STORY_FOLDERS = (
    "flows", "browser", "process", "conformance", "fal_app", "benchmarks", "rig", "scan", "isolation",
)  # fmt: skip
ABOUT_THE_WHOLE = {
    "test_architecture",
    "test_asvs",
    "test_decisions_in_any_order",
    "test_design",
    "test_docs",
    "test_foreign_names",
    "test_looks",
    "test_documents",
    "test_expanding_migrations",
    "test_databases",
    "test_importing",
    "test_judge",
    "test_locks",
    "test_model_based",
    "test_mirror",
    "test_sampling",
    "test_spreading",
}


def test_every_test_module_mirrors_a_source_module():
    none_of(
        f"{path} mirrors nothing: {' or '.join(mirrored(path))} is missing"
        for path in under("tests/")
        if is_mirror(path) and not set(mirrored(path)) & set(kept_files())
    )


def test_every_module_has_a_test_module_or_names_the_one_that_judges_it():
    kept = set(kept_files())
    modules = {path for path in under(f"{APP}/", "dashboard/") if has_code(path)}
    alone = {path for path in modules if not set(mirrors_of(path)) & kept}
    none_of(
        [
            *(
                f"{path} has no {mirrors_of(path)[-1]}"
                for path in alone
                if not mirror.judge_of(path)
            ),
            *(f"{place} in tests/mirror.py is needless" for place in mirror.needless(alone)),
            *(f"{test} is missing" for test in mirror.JUDGED_BY.values() if test not in kept),
        ]
    )


def has_code(path: str) -> bool:
    """Whether it defines more than names that others import from it."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in tree_of(path).body
    )


def mirrors_of(path: str) -> list[str]:
    """Test modules that mirror the source module: `requests_app/fal/sse.py` -> `tests/fal/test_sse.py`."""
    at = PurePosixPath(path.removeprefix(f"{APP}/").replace("management/commands/", "management/"))
    folder = at.parent
    if at.stem != "__init__":
        return [f"tests/{folder}/test_{at.stem}.py".replace("/./", "/")]
    whole = f"tests/{folder.parent}/test_{folder.name}.py".replace("/./", "/")
    return [whole, f"tests/{folder}/test_package.py".replace("/./", "/")]


def is_mirror(path: str) -> bool:
    at = PurePosixPath(path)
    is_story = len(at.parts) > 2 and at.parts[1] in STORY_FOLDERS
    return at.stem.startswith("test_") and not is_story and at.stem not in ABOUT_THE_WHOLE


def mirrored(path: str) -> list[str]:
    """Where the module under test is: `tests/fal/test_sse.py` -> `requests_app/fal/sse.py`."""
    at = PurePosixPath(path)
    folder = "/".join(at.parts[1:-1])
    name = at.stem.removeprefix("test_")
    is_wiring = at.parts[1] == "dashboard"
    home = folder if is_wiring else f"{APP}/{folder}".rstrip("/")
    home = f"{home}/commands" if folder == "management" else home
    whole = [f"{home}/__init__.py"] if name == "package" else []
    return [*whole, f"{home}/{name}.py", f"{home}/{name}/__init__.py"]

"""What the documentation must mention, and what it mentions that is not there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from requests_app import urls
from tests.source import ROOT, calls_in, kept_files, nodes_of, text_of

READERS = {
    "env_text", "env_bool", "env_template", "env_choice", "env_database", "env_int", "env_list", "env_url", "_upstream",
    "env_local_apps", "env_networks",
}  # fmt: skip
DOCUMENTS = ("README.md", "docs/design.md", "docs/operations.md", "docs/scale.md")


@cache
def documentation() -> str:
    return "\n".join(text_of(path) for path in DOCUMENTS)


# --- Settings ----------------------------------------------------------------------------------


@cache
def settings_read() -> dict[str, ast.Call]:
    """Every variable the code reads, with the call that reads it."""
    found = {}
    for path in kept_files():
        if path.startswith(("dashboard/", "requests_app/")) and path.endswith(".py"):
            for _, name, call in calls_in(path):
                first = call.args[0] if call.args else None
                if name in READERS and isinstance(first, ast.Constant):
                    found[str(first.value)] = call
    return found


@cache
def settings_table() -> dict[str, str]:
    """The README's table: variable -> the cell with its default."""
    section = text_of("README.md").partition("## Configuration")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) ?\| .+\|$", section, re.M)
    return dict(rows)


def test_the_readme_lists_exactly_the_settings_the_code_reads():
    assert set(settings_table()) == set(settings_read())


def test_the_example_file_lists_exactly_the_settings_the_code_reads():
    listed = re.findall(r"^#?([A-Z_]+)=", text_of(".env.example"), re.M)
    assert sorted(listed) == sorted(settings_read())


def test_the_readme_gives_the_defaults_of_numbers_as_the_code_has_them():
    in_code = {
        name: number(call.args[1])
        for name, call in settings_read().items()
        if ast.unparse(call.func) == "env_int"
    }
    in_readme = {name: int(settings_table()[name].strip("`")) for name in in_code}
    assert in_readme == in_code


def number(node: ast.expr) -> int:
    """A literal or a product of literals."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return number(node.left) * number(node.right)
    assert isinstance(node, ast.Constant)
    assert isinstance(node.value, int)
    return node.value


def test_the_readme_gives_fals_addresses_as_the_code_has_them():
    code = text_of("dashboard/settings.py")
    addresses = {
        name: cell.strip("`") for name, cell in settings_table().items() if "`https://" in cell
    }
    assert addresses, "the table names no address at all"
    for name, address in addresses.items():
        assert address in code, f"{name}: {address} is not in the settings"


def test_no_setting_is_read_past_the_helpers():
    # What programs install reads the environment of theirs.
    allowed = {"dashboard/env.py", "requests_app/client/calls.py"}
    for path in kept_files():
        if path.startswith(("dashboard/", "requests_app/")) and path.endswith(".py"):
            reads = re.findall(r"os\.environ(?:\.get)?[\[(]|os\.getenv", text_of(path))
            assert not reads or path in allowed, f"{path} reads the environment itself"


# --- Paths -------------------------------------------------------------------------------------


def test_the_design_lists_exactly_the_paths_there_are():
    listed = re.findall(r"^\| `(\w+)` \| (?:GET|POST)", text_of("docs/design.md"), re.M)
    assert sorted(listed) == sorted(str(pattern.name) for pattern in urls.urlpatterns)


def test_the_design_gives_each_path_as_it_is():
    design = text_of("docs/design.md")
    for path in [str(p.pattern) for p in urls.urlpatterns if "^" not in str(p.pattern)]:
        shown = re.sub(r"<\w+:(\w+)>", lambda match: PLACES[match[1]], path)
        assert re.search(rf"(?:GET|POST) `/{re.escape(shown)}[`?]", design), shown


PLACES = {
    "public_id": "UUID",
    "preset_id": "UUID",
    "endpoint_id": "ID",
    "batch_id": "UUID",
    "bulk_id": "UUID",
    "group_id": "ID",
    "export_id": "UUID",
    "view_id": "ID",
    "session_id": "SESSION",
    "number": "N",
    "size": "N",
    "pk": "N",
    "token": "TOKEN",
    "secret": "SECRET",
    "filename": "FILE",
}


# --- Commands and keys -------------------------------------------------------------------------


def test_every_command_of_ours_is_documented():
    ours = [name for name, app in get_commands().items() if app == "requests_app"]
    assert ours
    for name in ours:
        assert f"manage.py {name}" in text_of("docs/operations.md"), f"{name} is not documented"


def test_every_command_that_is_documented_exists():
    named = set(re.findall(r"manage\.py ([a-z_]+)", documentation()))
    assert named <= set(get_commands())


def test_every_make_target_that_is_documented_exists():
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)\b", code_in(documentation()))) <= targets


def code_in(text: str) -> str:
    """Fenced blocks and `inline code`."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.S))


def keys_in(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"<kbd>(.+?)</kbd>", cell))


def test_the_readme_lists_exactly_the_keys_of_the_sheet():
    sheet = re.findall(r"<dt>(.+?)</dt>", text_of("templates/lib/_shortcuts.html"))
    table = re.findall(r"^\| (`.+?`) \| [^|]+ \|$", readme_keys(), re.M)
    assert [tuple(re.findall(r"`(.+?)`", cell)) for cell in table] == list(map(keys_in, sheet))


def readme_keys() -> str:
    return text_of("README.md").partition("| key | does |")[2].partition("\n\n")[0]


def test_the_sheet_shows_every_key_that_does_something():
    verbs = text_of("static/js/lib/keys.js").partition("const VERBS = {")[2].partition("\n};")[0]
    bound = {quoted or bare for quoted, bare in re.findall(r'^ +(?:"(.)"|(\w)):', verbs, re.M)}
    assert bound
    cells = re.findall(r"<dt>(.+?)</dt>", text_of("templates/lib/_shortcuts.html"))
    alone = [keys for cell in cells if "Ctrl" not in (keys := keys_in(cell))]
    shown = {key for keys in alone for key in keys if len(key) == 1}
    assert bound == shown


# --- The text itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_file_leads_somewhere(document: str):
    folder = Path(document).parent
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text_of(document)):
        assert (ROOT / folder / target).is_file(), f"{document} links to {target}"


def test_every_part_the_design_draws_exists():
    drawing = text_of("docs/design.md").partition("## Parts\n\n```text")[2].partition("```")[0]
    inside = re.findall(r"^  ([\w.]+/?)\s", drawing, re.M)
    assert inside
    for name in inside:
        assert (ROOT / "requests_app" / name).exists(), name


def test_the_sandbox_endpoints_of_the_readme_are_those_it_serves():
    named = set(re.findall(r"`(sandbox/\w+)`", text_of("README.md")))
    offered = {
        node.value
        for node in nodes_of("requests_app/forms/examples.py")
        if isinstance(node, ast.Constant) and re.fullmatch(r"sandbox/\w+", str(node.value))
    }
    assert named == offered


def test_every_test_that_a_promise_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+(?:\.py)?)/?`", text_of("SECURITY.md"))
    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists()] == []

"""The shape of the source: who may import, write, send and render what; sizes and names.

Each rule is a plain function over the files, and each failure lists the places that break it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests import layers
from tests.source import (
    calls_in,
    code_lines,
    functions_in,
    imports_of,
    is_in,
    kept_files,
    nodes_of,
    text_of,
    tree_of,
    under,
)

APP = "requests_app"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_TEMPLATE_COLUMNS = 120


def none_of(found: Iterable[str]) -> None:
    places = sorted(found)
    assert not places, f"{len(places)} places:\n" + "\n".join(places)


# --- Who may import whom -----------------------------------------------------------------------


def test_the_wire_imports_no_django_and_nothing_of_ours():
    none_of(foreign_imports("fal", "django", "channels", "celery", "dashboard", APP))


def test_the_sandbox_shares_nothing_with_what_it_is_there_to_judge():
    for room in ("sandbox", "faults"):  # the engine of faults is for both sides
        none_of(one for one in foreign_imports(room, "django", "channels", "celery", "dashboard", APP) if f"{APP}.faults" not in one)  # fmt: skip


def test_the_package_that_programs_install_imports_httpx_and_websockets_and_its_extras_few_more():
    allowed = (
        "httpx",
        "websockets",
        "typer",
        "rich",
        "mcp",
        "pydantic",
        f"{APP}.client",
        *sys.stdlib_module_names,
    )
    none_of(
        f"{path}:{line} imports {name}"
        for path in under(f"{APP}/client/")
        for line, name in imports_of(path)
        if not is_in(name, *allowed)
    )


def foreign_imports(package: str, *forbidden: str) -> Iterator[str]:
    own = f"{APP}.{package}"
    for path in under(f"{APP}/{package}/"):
        for line, name in imports_of(path):
            if is_in(name, *forbidden) and not is_in(name, own):
                yield f"{path}:{line} imports {name}"


def test_every_module_stands_in_a_layer():
    none_of(layers.without_place(layers.sources()))


def test_imports_point_to_layers_above_alone():
    none_of(layers.against_the_order(layers.sources()))


def test_no_module_imports_itself_by_way_of_others():
    none_of(layers.circles(layers.sources()))


def test_imports_stand_at_the_top_of_their_module():
    """One inside a function hides a circle. A command may import what it alone needs, and the sandbox, which
    imports nothing of ours, what costs megabytes and is rarely used.
    """
    none_of(
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path in under(f"{APP}/", "dashboard/")
        if not path.startswith((f"{APP}/management/", f"{APP}/sandbox/"))
        for function in functions_in(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    )


def test_the_wiring_imports_nothing_of_the_app_but_its_paths():
    none_of(
        f"{path}:{line} imports {name}"
        for path in under("dashboard/")
        for line, name in imports_of(path)
        if is_in(name, APP) and not is_in(name, f"{APP}.urls", f"{APP}.routing")
    )


# --- One writer, one voice, one row ------------------------------------------------------------

# `record` appends an observation, which carries the status the row has after it.
OWN_STATUS = {(f"{APP}/models/observation.py", "record")}
WRITES = {"create", "update", "get_or_create", "update_or_create", "FalRequest", "aupdate"}


def test_only_the_lifecycle_writes_a_status():
    none_of(status_writes())


def status_writes() -> Iterator[str]:
    for path in under(f"{APP}/"):
        if path.startswith(
            tuple(f"{APP}/{room}" for room in ("lifecycle", "fal/", "sandbox/", "client/"))
        ):
            continue
        excused = {
            node
            for function in functions_in(path)
            if (path, function.name) in OWN_STATUS
            for node in ast.walk(function)
        }
        for node in nodes_of(path):
            if node not in excused and writes_status(node, is_model="/models/" in path):
                yield f"{path}:{node.lineno} writes a status"  # type: ignore[attr-defined]


def writes_status(node: ast.AST, *, is_model: bool) -> bool:
    if isinstance(node, ast.Assign):
        # Outside the models `self` is no row: an exception's HTTP status, say.
        rows = {ast.unparse(t) for t in node.targets} - (set() if is_model else {"self.status"})
        return any(row.endswith(".status") for row in rows)
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name in WRITES:
        return any(keyword.arg == "status" for keyword in node.keywords)
    constants = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
    return name in ("save", "asave", "bulk_update", "bulk_create") and "status" in constants


def test_only_the_lifecycle_appends_observations():
    none_of(
        f"{path}:{line} records an observation"
        for path in under(f"{APP}/")
        if not path.startswith(f"{APP}/lifecycle")
        for line, _, call in calls_in(path)
        if ast.unparse(call.func) in ("Observation.append", "Observation.objects.create")
    )


def test_only_the_teams_room_decides_who_belongs_to_a_team():
    none_of(
        f"{path}:{line} lets somebody in"
        for path in under(f"{APP}/")
        if not path.startswith((f"{APP}/teams/", f"{APP}/models/"))
        for line, _, call in calls_in(path)
        if re.fullmatch(
            r"(Membership|Invitation)\.(objects\..*(create|update|delete)|issue|offer)|.*memberships\.(create|add)",
            ast.unparse(call.func),
        )
    )


SENDS = {"fan_out", "group_send", "send_task", "apply_async", "delay", "apply"}


def test_only_announce_sends_on_the_channel_layer_or_to_the_broker():
    none_of(
        f"{path}:{line} calls {name}"
        for path in under(f"{APP}/", "dashboard/")
        if path not in (f"{APP}/announce.py", "dashboard/layers.py")
        for line, name, _ in mentions(path)
        if name in SENDS
    )


def mentions(path: str) -> Iterator[tuple[int, str, ast.Attribute]]:
    """Also a method that is passed on instead of called, as async_to_sync wants it."""
    for node in nodes_of(path):
        if isinstance(node, ast.Attribute):
            yield node.lineno, node.attr, node


ROWS = re.compile(r"[\"'/]_rows\.html|\btable_rows\b")
DRAW_ROWS = (
    *(f"{APP}/{name}" for name in ("views/row_html.py", "templatetags/rows.py")),
    *(f"templates/list/{name}" for name in ("list.html", "_rows.html")),
)


def test_a_row_is_rendered_by_the_list_page_alone():
    sources = [*under(f"{APP}/", "dashboard/"), *under("templates/", suffix=".html")]
    none_of(
        f"{path} renders a row"
        for path in sources
        if path not in DRAW_ROWS and ROWS.search(text_of(path))
    )


# --- Pages -------------------------------------------------------------------------------------

# What a strict Content-Security-Policy refuses, and what htmx would have to evaluate.
INLINE = {
    "an inline script": re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", re.I
    ),
    "an inline style": re.compile(r"<style\b|\sstyle\s*=", re.I),
    "an event handler": re.compile(r"<[^>{%]*\son[a-z]+\s*=", re.I),
    "htmx that is evaluated": re.compile(r"\shx-on\b|\shx-(?:vals|headers|vars)=[\"']js:", re.I),
    "a script address": re.compile(r"javascript:", re.I),
}


@pytest.mark.parametrize("what", INLINE)
def test_no_template_has(what: str):
    markup = [*under("templates/", APP, suffix=".html"), *under(f"{APP}/templatetags/")]
    none_of(
        f"{path}:{number} has {what}"
        for path in markup
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if INLINE[what].search(line)
    )


def test_no_script_of_ours_evaluates_or_writes_markup_from_text():
    unsafe = re.compile(r"\beval\(|new Function|document\.write|insertAdjacentHTML|\.outerHTML\s*=")
    none_of(
        f"{path}:{number} {line.strip()}"
        for path in under("static/js/", suffix=".js")
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if unsafe.search(line)
    )


# Words of ours: what sockets say, the options of a request, the envelope of a draft.
PARSED_BY_THE_BROWSER = {
    "static/js/lib/drafts.js": "JSON.parse(text.slice(",
    "static/js/lib/code.js": "JSON.parse(options)",
    "static/js/lib/listplace.js": "JSON.parse(sessionStorage",
    "static/js/lib/noticechoice.js": "JSON.parse(localStorage",
    "static/js/lib/options.js": 'JSON.parse(document.getElementById("option-table")?.textContent',
    "static/js/teams/passkeys.js": "JSON.parse(document.getElementById(place)",
    "static/js/lib/socket.js": "JSON.parse(event.data)",
    "static/js/lib/team.js": "JSON.parse(header)",
    "static/js/realtime/session.js": "JSON.parse(data)",
}


def test_no_text_that_is_sent_or_came_from_fal_is_parsed_by_the_browser_which_rounds_its_numbers():
    none_of(
        f"{path}:{number} {line.strip()}"
        for path in under("static/js/", suffix=".js")
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if re.search(r"JSON\.parse\b", re.sub(r"^//.*", "", line))
        and PARSED_BY_THE_BROWSER.get(path, "\0") not in line
    )


def test_only_http_fetches_so_that_every_page_hears_of_a_log_out():
    allowed = {
        "static/js/lib/http.js",
        "static/js/lib/login.js",
        "static/js/teams/passkeys.js",
    }  # the latter two ask of the log-in itself
    none_of(
        f"{path}:{number} {line.strip()}"
        for path in under("static/js/", suffix=".js")
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if path not in allowed and re.search(r"(?<![\w#.])fetch\(", re.sub(r"^//.*", "", line))
    )


def test_no_script_exports_what_no_other_imports():
    scripts = {path: text_of(path) for path in under("static/js/", suffix=".js")}
    tests = "".join(text_of(path) for path in under("tests/browser/"))
    exported = re.compile(r"^export (?:async )?(?:function\*?|const|let|class) (\w+)", re.M)

    def is_imported(path: str, name: str) -> bool:
        of = re.compile(rf'^import [^;]*\b{name}\b[^;]*/{path.rpartition("/")[2]}"', re.M)
        return any(of.search(other) for other in scripts.values())

    def is_tested_part(text: str, name: str) -> bool:
        """A function that a test calls in the browser, and its own module too."""
        code = re.sub(r"^ *(//|/?\*).*", "", text, flags=re.M)
        return name in tests and len(re.findall(rf"\b{name}\b", code)) > 1

    none_of(
        f"{path} exports {name}"
        for path, text in scripts.items()
        for name in exported.findall(text)
        if not is_imported(path, name) and not is_tested_part(text, name)
    )


# --- Sizes and names -----------------------------------------------------------------------------


def test_no_file_is_longer_than_its_limit():
    sources = [
        path for suffix in (".py", ".js", ".css", ".html") for path in under("", suffix=suffix)
    ]
    none_of(
        f"{path} has {lines} lines, {MAX_FILE_LINES} at most"
        for path in sources
        if (lines := len(text_of(path).splitlines())) > MAX_FILE_LINES
    )


def test_no_line_of_a_template_is_wider_than_its_limit():
    none_of(
        f"{path}:{number} has {len(line)} characters, {MAX_TEMPLATE_COLUMNS} at most"
        for path in under("templates/", APP, suffix=".html")
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if len(line) > MAX_TEMPLATE_COLUMNS
    )


def test_no_function_is_longer_than_its_limit():
    none_of(
        f"{path}:{function.lineno} {function.name} has {code_lines(function)} lines"
        for path in under("")
        for function in functions_in(path)
        if code_lines(function) > MAX_FUNCTION_LINES
    )


def test_no_two_classes_have_one_name():
    """The sandbox and the package of programs share nothing with the rest. Django finds commands by their names."""
    places: dict[str, list[str]] = {}
    for path in under(f"{APP}/", "dashboard/"):
        if not path.startswith(
            tuple(f"{APP}/{room}/" for room in ("sandbox", "client", "management"))
        ):
            for node in tree_of(path).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, []).append(path)
    none_of(f"{name}: {', '.join(paths)}" for name, paths in places.items() if len(paths) > 1)


def test_every_module_has_annotations_that_are_not_evaluated():
    none_of(
        f"{path} lacks `from __future__ import annotations`"
        for path in under("")
        if tree_of(path).body[1:] and "from __future__ import annotations" not in text_of(path)
    )


# --- What must not be in the repository ----------------------------------------------------------

MACHINE_PATH = re.compile(r"(?<![\w.~}])/(?:root|work|home|Users)/[\w.]")
REGISTRY = re.compile(r"\bpypi\.[a-z]|pythonhosted\.[a-z]|\bnpmjs\.[a-z]|[a-z]/simple/", re.I)


@pytest.mark.parametrize(
    ("what", "found_in"),
    [("a path of one machine", MACHINE_PATH.search), ("a package registry", REGISTRY.search)],
)
def test_no_kept_file_names(what: str, found_in: Callable[[str], object]):
    none_of(
        f"{path}:{number} names {what}: {line.strip()[:80]}"
        for path in kept_files()
        for number, line in enumerate(lines_of(path), 1)
        if found_in(line)
    )


def lines_of(path: str) -> list[str]:
    try:
        return text_of(path).splitlines()
    except UnicodeDecodeError:
        return []  # a picture


def test_no_third_party_code_is_kept():
    none_of(
        path
        for path in kept_files()
        if re.search(r"(^|/)(vendor|node_modules)/|\.min\.(js|css)$", path)
    )


def test_every_test_that_drives_a_browser_says_so() -> None:
    """What runs beside PostgreSQL and on other Pythons leaves them out by their mark."""
    files = [path for path in under("tests/browser/") if "/test_" in path]
    assert [path for path in files if "pytest.mark.browser" not in text_of(path)] == []

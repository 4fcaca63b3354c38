"""Each page loads the modules that it needs, all named in its head, and no others."""

from __future__ import annotations

import re
from functools import cache
from posixpath import dirname, join, normpath

import pytest
import tree_sitter_typescript
from django.urls import reverse
from tree_sitter import Language, Parser, Query, QueryCursor

from requests_app.templatetags.modules import modules_of, page_modules
from tests.builders import make_queued
from tests.source import text_of, under

SCRIPTS = under("static/js/", suffix=".js")
ENTRIES = [path for path in SCRIPTS if path.startswith("static/js/pages/")]
CLASSIC = "static/js/lib/theme.js"  # must run before the first paint
TYPESCRIPT = Language(tree_sitter_typescript.language_typescript())
SOURCES = Query(TYPESCRIPT, "(_ source: (string (string_fragment) @path))")


@cache
def imported_by(path: str) -> list[str]:
    """By the grammar: what a module imports."""
    tree = Parser(TYPESCRIPT).parse(text_of(path).encode())
    found = QueryCursor(SOURCES).captures(tree.root_node).get("path", [])
    return [normpath(join(dirname(path), (node.text or b"").decode())) for node in found]


def graph_of(path: str) -> set[str]:
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        if (module := waiting.pop()) not in seen:
            seen.add(module)
            waiting += imported_by(module)
    return seen


def files_of(entry: str) -> set[str]:
    return {f"static/{name}" for name in modules_of(entry)}


def name_of(path: str) -> str:
    return path.removeprefix("static/js/pages/").removesuffix(".js")


@pytest.mark.parametrize("path", ENTRIES, ids=name_of)
def test_an_entry_brings_exactly_what_its_modules_import(path):
    assert files_of(name_of(path)) == graph_of(path)
    assert len(graph_of(path)) > 1


def test_every_module_is_reached_from_an_entry():
    assert set(SCRIPTS) - {CLASSIC} == set().union(*map(graph_of, ENTRIES))


def test_no_module_imports_itself_by_way_of_others_for_its_hashed_name_could_not_be_known():
    for path in SCRIPTS:
        assert all(path not in graph_of(other) for other in imported_by(path)), path


def test_no_module_is_imported_by_a_call_which_could_not_be_fetched_ahead():
    code = {path: re.sub(r"(?m)^\s*(//|/?\*).*|/\*.*?\*/", "", text_of(path)) for path in SCRIPTS}
    assert [path for path, text in code.items() if re.search(r"\bimport\(", text)] == []


def test_an_entry_that_is_not_there_is_named():
    with pytest.raises(LookupError, match=r"js/pages/none\.js"):
        page_modules("none")


# --- pages ---


def loaded_by(html: str) -> tuple[set[str], list[str]]:
    """The modules that are fetched ahead, and those that are run."""
    ahead = re.findall(r'<link rel="modulepreload" href="/(static/js/[^"]+)">', html)
    assert len(set(ahead)) == len(ahead)
    return set(ahead), re.findall(r'<script type="module" src="/(static/js/[^"]+)"', html)


PAGES = {
    "list": "requests:list",
    "workspace": "requests:new",
    "realtime": "requests:realtime",
    "endpoints": "requests:endpoints",
    "frame": "requests:settings",
    "request": "requests:detail",
}


@pytest.mark.parametrize("entry", PAGES)
def test_a_page_names_its_entry_and_ahead_of_it_all_that_this_imports(as_owner, owner, team, entry):
    row = make_queued(team=team, person=owner)
    args = [row.public_id] if entry == "request" else []
    html = as_owner.get(reverse(PAGES[entry], args=args)).content.decode()
    path = f"static/js/pages/{entry}.js"
    assert loaded_by(html) == (graph_of(path) - {path}, [path])
    assert "htmx" in html


def test_the_log_in_page_loads_keys_and_passkeys_alone(client, db):
    html = client.get(reverse("account_login")).content.decode()
    ahead, run = loaded_by(html)
    assert run == ["static/js/pages/login.js"]
    assert ahead == {
        "static/js/lib/keys.js",
        "static/js/lib/search.js",
        "static/js/pages/entrance.js",
        "static/js/teams/passkeys.js",
    }
    assert "htmx-2" not in html


def test_a_page_about_the_account_has_the_frame_of_who_is_logged_in(as_owner):
    html = as_owner.get(reverse("account_change_password")).content.decode()
    assert loaded_by(html)[1] == ["static/js/pages/frame.js"]


# --- what a template holds, and the module that brings it to life ---

LIVING = {
    r"<time\b|{% time\b|{% table_rows\b": "lib/time.js",
    r"\bdata-copy(-from)?=": "lib/copy.js",
    r"\bdata-(dialog|close)\b|{% table_rows\b": "lib/dialogs.js",
    r"\bdata-(save|save-from|copy-image)\b": "lib/save.js",
    r"\bdata-lightbox\b": "lib/lightbox.js",
    r"\bdata-sample\b": "lib/code.js",
    r"<(img|video|audio)\b|{% (table_rows|small_picture)\b": "lib/lostmedia.js",
    r"\bdata-rows\b": "list/rows.js",
    r'class="menu paste"': "form/paste.js",
    r"\bdata-variables\b": "form/variables.js",
    r"\bdata-carried\b": "form/files/carried.js",
    r'id="repeat"': "form/repeat.js",
    r'id="runs-place"': "form/runs.js",
    r'id="request-form"': "form/form.js",
    r'id="result"': "form/result.js",
    r'id="request-page"': "request/mount.js",
    r'id="compare"': "request/compare.js",
    r'id="batch-live"': "batches/batch.js",
    r'id="workbench"': "realtime/realtime.js",
}
# What a page fetches later.
FRAGMENTS = {
    "templates/form/new.html": [
        "request/_page.html",
        "request/_live.html",
        "form/_fields.html",
        "form/_duplicate.html",
        "presets/_menu_list.html",
    ],
    "templates/request/detail.html": ["request/_live.html", "request/_log_lines.html"],
    "templates/endpoints/endpoints.html": ["endpoints/_models.html"],
    "templates/realtime/realtime.html": ["realtime/_kept_messages.html"],
    "templates/base.html": ["teams/_times.html"],
}
TEMPLATES = under("templates/", suffix=".html")
OF_PAGES = [path for path in TEMPLATES if '{% extends "base.html" %}' in text_of(path)]


def with_parts(*paths: str) -> str:
    """The text of templates, and of all that they include or fetch."""
    found = list(paths)
    for path in found:  # grows meanwhile
        names = re.findall(r'{% include "([^"]+)"', text_of(path)) + FRAGMENTS.get(path, [])
        found += [part for name in names if (part := f"templates/{name}") not in found]
    return "".join(map(text_of, found))


@pytest.mark.parametrize("path", OF_PAGES)
def test_what_a_page_holds_is_brought_to_life(path):
    entry = re.search(r'{% page_modules "(\w+)"', text_of(path))
    modules = graph_of(f"static/js/pages/{entry[1] if entry else 'frame'}.js")
    text = with_parts(path, "templates/base.html")
    needed = {f"static/js/{name}" for sign, name in LIVING.items() if re.search(sign, text)}
    assert needed - modules == set()
    assert "static/js/lib/dialogs.js" in needed  # of the dialog in which times are chosen


def test_every_sign_of_life_is_looked_for_where_it_is():
    texts = "".join(map(text_of, TEMPLATES))
    assert [sign for sign in LIVING if not re.search(sign, texts)] == []
    assert {f"static/js/{name}" for name in LIVING.values()} <= set(SCRIPTS)

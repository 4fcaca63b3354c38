"""How a status, an icon and a row of the table look: nothing is named that is not drawn.

A new status, icon or column fails here until each of its places knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from django.utils import timezone

from requests_app.display.columns import COLUMNS
from requests_app.display.explain import explain
from requests_app.display.kept_media import KINDS
from requests_app.models import FalRequest, Mode, Status
from requests_app.search import parse_search
from requests_app.search.filters import conditions
from requests_app.templatetags import requests_extras, rows
from requests_app.templatetags.requests_extras import StatusLook, look_of
from requests_app.views import listing, palette
from tests.source import text_of, under

# Statuses that no chip of the list counts, each with its reason. None today.
WITHOUT_CHIP: dict[Status, str] = {}
EXPLAINED = {Status.UNCERTAIN, Status.FAILED}
NEED_NO_EXPLANATION = {
    Status.PENDING, Status.SUBMITTING, Status.IN_QUEUE, Status.IN_PROGRESS, Status.COMPLETED,
    Status.CANCELLED,
}  # fmt: skip


def looks_in(values: Iterable[object]) -> list[StatusLook]:
    found: list[StatusLook] = []
    for value in values:
        if isinstance(value, StatusLook):
            found.append(value)
        elif isinstance(value, dict):
            found += looks_in(value.values())
    return found


LOOKS = looks_in(vars(requests_extras).values())


def drawn_icons() -> set[str]:
    return set(re.findall(r'<symbol id="([\w-]+)"', text_of("static/icons.svg")))


# --- statuses -------------------------------------------------------------------------------------


def test_all_looks_are_found() -> None:
    assert len(LOOKS) >= len(Status)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.word)
def test_a_look_is_drawn_coloured_and_told(look: StatusLook) -> None:
    assert look.icon in drawn_icons()
    assert re.search(rf"\.badge-{look.key}(?![\w-])", text_of("static/css/lib/badge.css"))
    assert look.word
    assert look.sentence.endswith(".")


@pytest.mark.parametrize("status", Status)
def test_a_status_has_a_look_a_chip_and_an_explanation_or_a_reason_to_have_none(
    status: Status,
) -> None:
    assert look_of(status) in LOOKS
    chips = [name for name in listing.CHIPS if status in statuses_of(name)]
    assert chips or WITHOUT_CHIP.get(status)
    assert (status in EXPLAINED) is not (status in NEED_NO_EXPLANATION)
    assert (explain(FalRequest(status=status, error="x"), b"") is not None) is (status in EXPLAINED)


def statuses_of(name: str) -> set[Status]:
    search = parse_search(f"status:{name}")
    assert not search.problems
    [(_, found)] = conditions(search, me="", now=timezone.now()).children  # type: ignore[misc]
    return {Status(value) for value in found}


# --- icons ----------------------------------------------------------------------------------------

# What a template calls the icon it draws when it does not name it, and what that may be.
BY_VARIABLE: dict[str, set[str]] = {
    "look.icon": {look.icon for look in LOOKS},
    "row.mode": set(Mode.values),
    "medium.kind": set(KINDS),
    "value": set(Mode.values),  # the choices of the form's mode
    "example.icon": {
        icon
        for examples in (listing._SANDBOX_EXAMPLES, listing._EXAMPLES)
        for _, icon, *_ in examples
    },
    "offer.icon": {place.icon for place in palette.PLACES}
    | set(re.findall(r'^ +"([a-z]+)",$', text_of("requests_app/views/palette.py"), re.MULTILINE))
    | {"search"},
}


def icons_named() -> list[tuple[str, str]]:
    """Path and icon, a variable as it stands."""
    in_templates = [
        (path, name)
        for path in under("templates/", suffix=".html")
        for name in re.findall(r"\{%\s*icon\s+(\S+)", text_of(path))
    ]
    in_tags = [
        (path, name)
        for path in under("requests_app/templatetags/")
        for name in re.findall(r'\bicon\(("[^"]*"|look\.icon)', text_of(path))
    ]
    in_scripts = [
        (path, name)
        for path in under("static/js/", suffix=".js")
        for name in re.findall(r'(?<!\w)icon\(("[^"]*")', text_of(path))
    ]
    return in_templates + in_tags + in_scripts


def test_every_icon_that_is_named_is_drawn() -> None:
    drawn, missing = drawn_icons(), []
    for path, name in icons_named():
        names = {name.strip("\"'")} if name[0] in "\"'" else BY_VARIABLE.get(name, {f"?{name}"})
        missing += [(path, one) for one in names - drawn]
    assert missing == []


# --- the table ------------------------------------------------------------------------------------


HEAD_OF_TABLE = "templates/list/_table_head.html"


def columns(text: str, cell: str) -> list[str]:
    """The first class of each cell, in order; a cell without one is told by its tag."""
    for loop in re.findall(r"\{% for column in columns %\}.*?\{% endfor %\}", text):
        optional = [f'<{cell} class="{column.classes}">' for column in COLUMNS.values()]
        text = text.replace(loop, "".join(optional))
    tags = re.findall(rf"<{cell}\b[^>]*>", text)
    classes = [re.search(r'class="([\w-]+)', tag) for tag in tags]
    return [found[1] if found else tag for tag, found in zip(tags, classes, strict=True)]


def test_the_head_and_a_row_have_the_same_columns_by_class() -> None:
    head = columns(text_of(HEAD_OF_TABLE), "th")
    row = "".join((rows.SELECT, rows.FIRST, *rows.OPTIONAL.values(), rows.LAST))
    assert head == columns(row, "td")
    assert len(set(head)) == len(head) > 1


def test_every_column_but_one_has_a_width_of_its_own() -> None:
    """The input takes what the others leave; `table-layout: fixed` reads widths off the head alone."""
    styles = text_of("static/css/list/row.css")
    rules = re.findall(r"^th(\.[\w-]+|:is\([^)]*\)) \{\s*width:", styles, re.M)
    fixed = set(re.findall(r"\.([\w-]+)", " ".join(rules)))
    head = set(columns(text_of(HEAD_OF_TABLE), "th"))
    assert head - fixed == {"row-what"}
    assert fixed <= head


def test_no_style_counts_columns() -> None:
    counted = re.compile(r"\bt[hdr]\b[^,{]*:nth-|:nth-[a-z-]+\([^)]*\)\s*t[hd]\b")
    assert [
        path for path in under("static/css/", suffix=".css") if counted.search(text_of(path))
    ] == []


def test_the_head_of_the_table_is_written_once() -> None:
    """A table of requests includes it: `rows.js` puts the same rows into each."""
    for path in under("templates/", suffix=".html"):
        tables = re.findall(r'<table class="requests[^>]*>.*?</table>', text_of(path), re.S)
        for table in tables:
            assert '{% include "list/_table_head.html" %}' in table, path
            assert "<th" not in table, path

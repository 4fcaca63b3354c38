"""`{% time %}` and `{% logged_at %}`: moments on pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import timezone

from requests_app.display.times import TimeStyle
from tests.source import text_of, under

NOON = datetime(2026, 11, 23, 12, 0, 0, 5000, tzinfo=UTC)
BERLIN = TimeStyle("Europe/Berlin", has_ages=False, hours=12)


def shown(tag: str, **context: Any) -> str:
    return Template("{% load times %}{% " + tag + " %}").render(Context(context))


def test_a_moment_carries_itself_its_kind_and_the_exact_time_with_its_zone() -> None:
    assert shown('time at "exact"', at=NOON) == (
        '<time datetime="2026-11-23T12:00:00.005+00:00" data-time="exact" '
        'title="2026-11-23 12:00:00.005 UTC">2026-11-23 12:00:00 UTC</time>'
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("age", ">2026-11-23 1:00:00 PM UTC+1<"),
        ("exact", ">2026-11-23 1:00:00 PM UTC+1<"),
        ("clock", ">1:00:00.005 PM UTC+1<"),
    ],
)
def test_it_reads_as_its_reader_chose(kind: str, text: str) -> None:
    html = shown(f'time at "{kind}"', at=NOON, time_style=BERLIN)
    assert text in html
    assert "Europe/Berlin (UTC+1)" in html


def test_an_age_is_the_usual_form() -> None:
    assert ">3 m ago<" in shown("time at", at=timezone.now() - timedelta(minutes=3, seconds=5))


def test_no_moment_is_no_text() -> None:
    assert shown("time at", at=None) == ""


def test_a_log_lines_time_is_a_moment_like_all_others() -> None:
    html = shown("logged_at text", text="2026-11-23T12:00:00.005", time_style=BERLIN)
    assert html == shown('time at "clock"', at=NOON, time_style=BERLIN)


@pytest.mark.parametrize("text", ["", "later", "<b>"])
def test_a_log_line_without_a_moment_keeps_fals_own_words(text: str) -> None:
    assert shown("logged_at text", text=text) == text.replace("<", "&lt;").replace(">", "&gt;")


# --- the tag is the only way ----------------------------------------------------------------------

WRITES_A_MOMENT = re.compile(
    r"<time\b|\|\s*(?:date|time|naturaltime|naturalday|timesince|timeuntil)\b"
    r"|\{%\s*now\b|\{\{[^}|]*_(?:at|until)\s*\}\}|\.(?:isoformat|strftime)\b"
)
# Attributes that scripts read, and what a form sends back: no reader sees them.
FOR_PROGRAMS = re.compile(
    r"""\s(?:data-[a-z-]+|content)=(["'])(?:\{[{%].*?[}%]\}|(?!\1).)*\1"""
    r"""|<input type="hidden"(?:\{\{.*?\}\}|[^>])*>"""
)


def moments_in(text: str) -> list[str]:
    return WRITES_A_MOMENT.findall(FOR_PROGRAMS.sub("", text))


@pytest.mark.parametrize(
    "text",
    [
        "{{ row.created_at|date:'c' }}", "{{ x | timesince }}", "{{ row.ended_at }}",
        "<time datetime='x'>", '{% now "Y" %}', "{{ one.live_until }}", "{{ a|date }} data-x='1'",
        '<td data-a="{{ x }}" title="{{ row.sent_at|date:"c" }}">',
    ],
)  # fmt: skip
def test_what_would_write_a_moment_otherwise_is_recognised(text: str) -> None:
    assert moments_in(text)


def test_templates_write_moments_by_the_tag_only() -> None:
    assert not moments_in("""<tr data-x="{{ row.created_at|date:"U.u" }}">{% time row.sent_at %}""")
    assert not moments_in("""<input type="hidden" name="at" value="{{ news.at|date:'c' }}">""")
    assert moments_in("""<input type="text" name="at" value="{{ news.at|date:'c' }}">""")
    found = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in under("templates/", "requests_app/", suffix=".html")
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if moments_in(line)
    ]
    assert found == []

"""The overview's chart and its table: what a page has by the hundred, written without a template's node for each."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from requests_app.overview.chart import FILLED, HEIGHT, PARTS, ChartBar
from requests_app.overview.histogram import Percentiles
from requests_app.templatetags.requests_extras import duration

register = template.Library()

_BAR = (
    '<svg class="overview-bar" x="{}%" width="{}%" height="{}" data-words="{}"><a href="{}" aria-label="{}">'
    '<rect class="overview-place" width="100%" height="100%"/></a>{}</svg>\n'
)
_PART = (
    '<a href="{}" tabindex="-1" aria-hidden="true">'
    '<rect class="overview-{}" x="{}%" width="{}%" y="{}" height="{}"/></a>'
)
_ROW = '<tr><th scope="row"><a href="{}">{}</a></th>{}</tr>\n'


@register.simple_tag
def chart_bars(drawn: Sequence[ChartBar]) -> SafeString:
    """Draw the bars: each is a link to its requests, and so is each part of it to those that ended like it."""
    return format_html_join("", _BAR, map(_bar, drawn))


def _bar(one: ChartBar) -> tuple[object, ...]:
    parts = (
        (url, part.kind, (100 - FILLED) // 2, FILLED, part.y, part.height)
        for part, url in one.segments
    )
    shape, words = one.drawn, one.words
    drawn = format_html_join("", _PART, parts)
    return shape.left, shape.width, HEIGHT, words, one.url, words, drawn


@register.simple_tag
def chart_rows(drawn: Sequence[ChartBar]) -> SafeString:
    """Write the bars as rows of a table."""
    return format_html_join("", _ROW, ((one.url, one.name, _cells(one.counts)) for one in drawn))


def _cells(counts: Sequence[int]) -> SafeString:
    words = ("in all", *(word for _, word, _ in PARTS))
    cells = (
        ("" if count else " overview-none", word, f"{count:,}")
        for count, word in zip(counts, words, strict=True)
    )
    return format_html_join("", '<td class="number{}" data-after="{}">{}</td>', cells)


@register.simple_tag
def percentiles(times: Percentiles | None) -> SafeString | str:
    """Write the three durations."""
    if times is None:
        return format_html('<span class="muted">{}</span>', "\N{EN DASH}")
    return " · ".join(map(duration, (times.half, times.ninety, times.ninety_nine)))

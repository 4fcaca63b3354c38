"""`{% time moment %}`: every moment on every page, in the form that its reader has chosen.

    {% time row.created_at %}            3 m ago; the exact time for readers who prefer it
    {% time step.at "exact" %}           2026-11-23 16:02:11 UTC
    {% logged_at line.timestamp %}       16:02:11.120 UTC, for a text from the wire

Hovering shows the exact time with the zone's name. static/js/lib/time.js writes the same again for
the browser's own zone, and keeps ages fresh.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString

from requests_app.display.markup import fill
from requests_app.display.times import TimeStyle, age, clock, exact, full, read_moment

register = template.Library()


@register.simple_tag(takes_context=True)
def time(
    context: Mapping[str, Any], moment: datetime | None, kind: str = "age"
) -> SafeString | str:
    """Write a moment; empty for None. `kind`: age, exact or clock."""
    return element(moment, kind, style_of(context)) if moment else ""


@register.simple_tag(takes_context=True)
def logged_at(context: Mapping[str, Any], text: str) -> SafeString | str:
    """Write the time of a log line; a text that is not a moment stays as fal wrote it."""
    moment = read_moment(text)
    return time(context, moment, "clock") if moment else text


def style_of(context: Mapping[str, Any]) -> TimeStyle:
    """Return the form that the page's reader has chosen."""
    return context.get("time_style") or TimeStyle()


def element(moment: datetime, kind: str, style: TimeStyle, *, text: str = "") -> SafeString:
    """Write a moment; `text`: what stands in the place of its words."""
    return fill(
        '<time datetime="{}" data-time="{}" title="{}">{}</time>',
        moment.isoformat(timespec="milliseconds"),
        kind,
        full(moment, style),
        text or _text(moment, kind, style),
    )


def _text(moment: datetime, kind: str, style: TimeStyle) -> str:
    if kind == "age" and style.has_ages:
        return age(moment, timezone.now())
    return clock(moment, style) if kind == "clock" else exact(moment, style)

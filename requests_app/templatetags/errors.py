"""How a group of errors is displayed."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from requests_app.error_groups.shelf import Trend, name_of
from requests_app.models import ErrorGroup, GroupState
from requests_app.templatetags.requests_extras import StatusLook

register = template.Library()

_LOOKS = {
    GroupState.OPEN: StatusLook("failed", "cross", "open", "Nothing was decided on it yet."),
    GroupState.RESOLVED: StatusLook(
        "completed", "check", "resolved", "If it comes again, it is open again and says so."
    ),
    GroupState.IGNORED: StatusLook(
        "cancelled", "slash", "ignored", "It may come again and stays out of the way."
    ),
}
_REGRESSED = StatusLook(
    "uncertain", "again", "regressed", "It was resolved, and has come again since."
)
HEIGHT, BAR, GAP = 24, 4, 1  # of a sparkline, in its own units


@register.filter
def group_look(group: ErrorGroup) -> StatusLook:
    """Return how a group's state looks."""
    return _REGRESSED if group.is_regressed else _LOOKS[GroupState(group.state)]


@register.filter
def group_id(group: ErrorGroup) -> str:
    """Return what stands for it in addresses."""
    return name_of(group)


@register.filter
def group_words(group: ErrorGroup) -> str:
    """Return the sentence, or what stands for it."""
    if group.is_rest:
        return "Other errors of this kind" if group.endpoint_id else "Other errors"
    if group.is_hidden:
        return f"Errors of type {group.error_type}" if group.error_type else "Errors without a type"
    return group.sentence or "No reason was given."


@register.simple_tag
def spark(trend: Trend, word: str, kind: str = "") -> SafeString:
    """Draw a trend as bars; in words for screen readers."""
    most = max(trend.counts, default=0) or 1
    width = len(trend.counts) * (BAR + GAP) - GAP
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}"/>',
        (
            (number * (BAR + GAP), round(HEIGHT - height, 1), BAR, round(height, 1))
            for number, count in enumerate(trend.counts)
            if (height := max(2, count / most * (HEIGHT - 1)) if count else 0.5)
        ),
    )
    told = f"{word}: {', '.join(map(str, trend.counts))}" if trend.total else f"{word}: none"
    return format_html(
        '<svg class="spark {}" viewBox="0 0 {} {}" role="img" aria-label="{}" preserveAspectRatio="none">{}</svg>',
        kind, width, HEIGHT, told, bars,
    )  # fmt: skip

"""How a row's values are displayed. Nothing here decides or stores anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString

from requests_app.display.costs import CostWords, cost_of
from requests_app.display.markup import fill
from requests_app.display.media import Medium
from requests_app.fal.options import OPTIONS
from requests_app.models import FalRequest, Status
from requests_app.thumbnails.states import ThumbnailLook, look_at

register = template.Library()

LONGEST_S = 1e9  # thirty years: no request lasts longer


class StatusLook(NamedTuple):
    """A status in colour (CSS key), icon, word and a sentence on what it means and what is next."""

    key: str
    icon: str
    word: str
    sentence: str


_LOOKS = {
    Status.PENDING: StatusLook(
        "pending", "outline", "pending", "Created here. It is sent to fal in a moment."
    ),
    Status.SUBMITTING: StatusLook(
        "submitting", "spinner", "submitting", "On its way to fal; the answer is not here yet."
    ),
    Status.UNCERTAIN: StatusLook(
        "uncertain",
        "question",
        "uncertain",
        "Sent, but no answer came back: fal may or may not be working on it. "
        "It is never sent again by itself. Open it to see what is known, and to decide.",
    ),
    Status.IN_QUEUE: StatusLook(
        "in_queue", "clock", "in queue", "fal has it and will start when a runner is free."
    ),
    Status.IN_PROGRESS: StatusLook(
        "in_progress", "spinner", "in progress", "A runner at fal is working on it."
    ),
    Status.COMPLETED: StatusLook(
        "completed", "check", "completed", "fal finished it. The output is kept here."
    ),
    Status.FAILED: StatusLook(
        "failed", "cross", "failed", "It ended with an error on the way or at fal. Open it to see."
    ),
    Status.CANCELLED: StatusLook(
        "cancelled", "slash", "cancelled", "It was cancelled. Nothing more will happen."
    ),
}
_REFUSED = StatusLook(
    "refused",
    "cross",
    "failed",
    "fal refused the request itself. Correct it and run it again; unchanged it will fail again.",
)
_GIVEN_UP = StatusLook(
    "uncertain",
    "question",
    "given up",
    "It was ended here while its outcome was unknown: fal may have run it, and it may be paid.",
)
_TRYING = StatusLook(
    "pending",
    "outline",
    "trying again",
    "It could not be sent yet: nothing has reached fal. It is retried automatically.",
)
_CANCELLING = StatusLook(
    "cancelling",
    "spinner",
    "cancelling",
    "Cancelling was asked for. What becomes of it shows here.",
)


@register.filter
def status_look(row: FalRequest) -> StatusLook:
    """Return how the row's status looks: the same everywhere."""
    if row.is_cancelling:
        return _CANCELLING
    if row.is_given_up:
        return _GIVEN_UP
    if row.was_user_error:
        return _REFUSED
    if row.status == Status.PENDING and row.tries:
        return _TRYING
    look = _LOOKS[Status(row.status)]
    if row.status == Status.IN_QUEUE and row.queue_position is not None:
        return _in_queue(look, row.queue_position)
    return look


def _in_queue(look: StatusLook, ahead: int) -> StatusLook:
    """Show the position; fal counts the requests ahead from 0, which would look like an error."""
    if ahead == 0:
        return look._replace(word="next in queue")
    sentence = f"fal has it; {ahead} ahead of it in the queue."
    return look._replace(word=f"{look.word} {ahead}", sentence=sentence)


_WHERE = {
    Status.PENDING: "Recorded here; it is sent in a moment.",
    Status.SUBMITTING: "On its way to fal.",
    Status.IN_QUEUE: "In fal's queue.",
    Status.IN_PROGRESS: "A runner at fal is working on it.",
}


@register.filter
def where_it_is(row: FalRequest) -> str:
    """Say in a sentence where a live request is."""
    if row.is_cancelling:
        return "Cancelling was asked for."
    if row.status == Status.IN_QUEUE and row.queue_position is not None:
        ahead = row.queue_position
        return f"{ahead} ahead of it in fal's queue." if ahead else "Next in fal's queue."
    return _WHERE.get(Status(row.status), "")


@register.filter
def thumbnail(row: FalRequest) -> ThumbnailLook | None:
    """Return what to show of the row's picture; None when it has none that pages may show at present."""
    return look_at(row, timezone.now())


@register.filter
def use_url(row: FalRequest, medium: Medium) -> str:
    """Return the address of the form of the row's endpoint, with the medium as a file of the input."""
    query = urlencode({"endpoint": row.endpoint_id, "use": medium.url})
    return f"{reverse('requests:new')}?{query}"


@register.filter
def look_of(status: str) -> StatusLook:
    """Return how a status looks apart from any row, for filters."""
    return _LOOKS[Status(status)]


@register.simple_tag
def option_table() -> SafeString:
    """Write the table of platform options for the page's scripts."""
    return json_script([option.for_page() for option in OPTIONS], "option-table")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon of static/icons.svg; without a label it decorates the word beside it."""
    return _drawn(staticfiles_storage.url("icons.svg"), name, label)


@lru_cache(maxsize=1024)
def _drawn(sprite: str, name: str, label: str) -> SafeString:
    turning = " icon-spinner" if name == "spinner" else ""
    if not label:
        return format_html(
            '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
            turning, sprite, name,
        )  # fmt: skip
    return format_html(
        '<svg class="icon{}" role="img" aria-label="{}"><use href="{}#{}"/></svg>',
        turning, label, sprite, name,
    )  # fmt: skip


@register.filter
def cost(row: FalRequest) -> CostWords:
    """Return what the row cost, in words."""
    return cost_of(row)


@register.filter
def took(row: FalRequest) -> SafeString | str:
    """Show how long the row took, or has taken so far (time.js keeps counting)."""
    return took_in_words(row, "" if row.is_ended else so_far(row.created_at, timezone.now()))


def so_far(created_at: datetime, now: datetime) -> str:
    """Return how long a request has taken that has not ended."""
    return duration(now - created_at)


def took_in_words(row: FalRequest, until_now: str) -> SafeString:
    """Show how long the row took, or `until_now` when it has not ended."""
    if row.is_ended:
        return fill('<span title="{}">{}</span>', _phases(row), duration(row.duration))
    return fill(
        '<time data-since="{}" title="{}">{}</time>',
        row.created_at.isoformat(timespec="milliseconds"),
        _phases(row),
        until_now,
    )


def _phases(row: FalRequest) -> str:
    """Split the time into phases, as far as fal reported them: queued 3.1 s + ran 12 s."""
    parts = [
        ("queued", row.accepted_at, row.started_at),
        ("ran", row.started_at, row.ended_at),
    ]
    about = "about " if row.started_at_is_derived else ""
    known = [
        f"{word} {about}{duration(end - start)}" for word, start, end in parts if start and end
    ]
    return " + ".join(known) or "since it was created"


@register.filter
def duration(length: timedelta | float | None) -> str:
    """Format a length (timedelta or seconds) in two units: 340 ms, 4.2 s, 3 m 20 s."""
    if length is None:
        return ""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if not 0 <= seconds < LONGEST_S:  # also NaN
        return "0 ms" if seconds < 0 else str(seconds)[:20]
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    return _long(round(seconds))


def _long(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} m {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} m"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


@register.filter
def bytes_size(size: int | None) -> str:
    """Format a number of bytes: 980 B, 12.4 kB, 3.1 MB."""
    if size is None:
        return ""
    amount = float(min(size, 10**18))
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5 or unit == "GB":
            break
        amount /= 1000
    digits = 0 if unit == "B" or amount >= 99.95 else 1
    return f"{amount:.{digits}f} {unit}"


@register.filter
def clip_middle(text: str, length: int = 16) -> str:
    """Cut an id in its middle, so that both ends can be compared."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    tail = length - 1 - head
    return f"{text[:head]}…{text[-tail:]}"


@register.simple_tag(takes_context=True)
def made_for(context: Mapping[str, Any], row: FalRequest | None = None) -> SafeString:
    """Write the hidden field that names the team of a form: the page's, or a request's."""
    return team_field(context["frame"]["made_for"] if row is None else row.team_id)


def team_field(value: str | int) -> SafeString:
    """Write the hidden field of a form with what the page said of its team, or with a team's id."""
    return fill('<input type="hidden" name="made_for" value="{}">', value)


@register.simple_tag(takes_context=True)
def in_team(context: Mapping[str, Any], row: FalRequest, sign: str = "?") -> str:
    """Write the part of a link that names a request's team, for a user who is in several."""
    return f"{sign}team={row.team_id}" if len(context["frame"]["teams"]) > 1 else ""

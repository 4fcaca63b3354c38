"""`{% table_rows %}`: rows of the list's table, the one place that draws them.

A row is drawn from what the database returned for it (`listed.ListedRow`) and from how the page shows rows (`RowLook`), and
sees nothing else. So its text is kept by these two, and a change of any of it is another key. What neither of them has
stands in the text as a mark: the CSRF token, and words that depend on the clock.

Written in Python: by a template of a hundred tags a row took ten times as long. `fill` escapes every value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from html import escape
from secrets import token_hex
from typing import Any, NamedTuple

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Context
from django.template.defaultfilters import filesizeformat
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from requests_app.display.costs import cost_of
from requests_app.display.marks import tags_of
from requests_app.display.markup import NOTHING, fill, joined
from requests_app.display.times import TimeStyle, age
from requests_app.listed import ListedRow
from requests_app.models import FalRequest, Mode, RequestOrigin, Status, Tag
from requests_app.templatetags.cells import find
from requests_app.templatetags.parts import (
    ANY_ID,
    badge,
    for_id,
    hidden_fields,
    small_picture,
    star_form,
)
from requests_app.templatetags.requests_extras import icon, so_far, thumbnail, took_in_words
from requests_app.templatetags.tags import list_of_tag
from requests_app.templatetags.times import element, style_of

register = template.Library()

MOST_KEPT = 2048  # rows of some three kilobytes each
# Marks; no value of a row can hold one.
TOKEN, AGE, SO_FAR = (token_hex(16) for _ in range(3))

LONG_NAME = 40  # letters of an endpoint, from which on its whole name is told too
MOST_TAGS = 3
SPACE = fill(" ")
_ORIGINS = dict(RequestOrigin.choices)

HEAD = """
<tr id="request-{id}" class="row" data-seq="{seq}" data-status="{status}" data-created="{created}">
"""
SELECT = """
<td class="row-select"><label class="row-pick"><input type="checkbox" class="row-check" form="selection"
  name="id" value="{id}" autocomplete="off" aria-label="Select {endpoint}"></label></td>
"""
FIRST = """
<td class="row-status" data-find="{find_status}">{badge}</td>
<td class="row-endpoint" data-find="{find_endpoint}"><div class="row-name">
  <a class="row-link" href="{url}{row_query}"{whole_name}>{endpoint}</a>{modes}
</div></td>
<td class="row-what"><div class="row-input">{picture}<div class="row-words">
  <div class="row-line"><div class="row-summary" title="{summary}">{words}</div>{tags}</div>
  {error}
</div></div></td>
"""
OPTIONAL = {
    "id": '<td class="row-id row-more" title="{id}">{short_id}</td>',
    "request": '<td class="row-request row-more" title="{fal_id}">{fal_id}</td>',
    "origin": '<td class="row-origin row-more" data-find="{find_origin}">{origin}</td>',
    "key": '<td class="row-key row-more" data-find="{find_key}">{key}</td>',
    "seed": '<td class="row-seed row-more" data-find="{find_seed}" title="{seed}">{seed}</td>',
    "kind": '<td class="row-kind row-more" data-find="{find_kind}" title="{kind}">{kind}</td>',
    "webhook": '<td class="row-webhook row-more">{webhook}</td>',
    "size": '<td class="row-size row-more">{size}</td>',
    "units": '<td class="row-units row-more">{units}</td>',
    "cost": '<td class="row-cost row-more">{cost}</td>',
}
LAST = """
<td class="row-person" data-find="{find_person}" title="{person}">{person}</td>
<td class="row-age">{age}</td>
<td class="row-took">{took}</td>
<td class="row-actions">{last}</td></tr>
"""

WHOLE_NAME = ' title="{}"'
MODE = ' <span class="row-mode">{}</span>'
ERROR = '<div class="row-error row-error-{}" title="{}">{}</div>'
WHY = '<span class="muted" title="{}">{}</span>'
TAG = '<a class="tag-chip{}" href="{}" title="{}">{}</a> '
TAGS = '<div class="row-tags">{}{}</div>'
FURTHER = '<span class="muted small">+{}</span>'
TAG_BUTTON = """
<a class="button button-quiet button-icon button-small" href="{url}" data-dialog="tags-dialog" hx-get="{url}"
  hx-target="#tags-dialog-body" hx-indicator="#tags-dialog-body" title="Tags">{icon}</a>
"""
AGAIN = """
<a class="button button-quiet button-icon button-small" data-key="e" href="{url}?again={id}"
  title="Run again: opens the form with the same input">{icon}</a>
"""
DECIDE = """
<a class="button button-quiet button-icon button-small" href="{url}" title="Open it to decide">{icon}</a>
"""
CANCEL = """
<form method="post" action="{url}" hx-post="{url}" hx-swap="none" hx-disabled-elt="find button">{hidden}
  <input type="hidden" name="next" value="{next}">
  <button class="button button-quiet button-icon button-small" data-key="c" title="Cancel">{icon}</button></form>
"""


class RowLook(NamedTuple):
    """All that the text of a row depends on beside the row itself."""

    may_submit: bool
    query: str  # of links, for a user of several teams: "?team=5"
    row_query: str  # of links to a row: the search that led to it
    columns: tuple[str, ...]
    times: TimeStyle
    has_token: bool  # a row that is pushed has none
    # Where the installation's pages and pictures are.
    prefix: str
    icons: str
    makes_thumbnails: bool
    media_hosts: tuple[str, ...]

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> RowLook:
        """Return how a page shows rows."""
        frame = context["frame"]
        return cls(
            may_submit=bool(frame["membership"] and frame["membership"].may_submit),
            query=frame["query"],
            row_query=context.get("row_query", ""),
            columns=tuple(one.name for one in context["columns"]),
            times=style_of(context),
            has_token=bool(context.get("csrf_token")),
            prefix=get_script_prefix(),
            icons=staticfiles_storage.url("icons.svg"),
            makes_thumbnails=bool(settings.THUMBNAIL_LIMIT_BYTES),
            media_hosts=tuple(settings.FAL_MEDIA_HOSTS),
        )


class RowWriter:
    """Draws the rows of pages of one look; what they share is looked up once."""

    def __init__(self, look: RowLook) -> None:
        self.look, self.may_submit = look, look.may_submit
        self.back = reverse("requests:list") + look.query
        self.new = reverse("requests:new")
        self.detail, self.star, self.tags, self.cancel = map(
            _address, ("detail", "star_request", "request_tags", "cancel")
        )
        self.icon = cache(icon)
        token = {"csrf_token": TOKEN} if look.has_token else {}
        self.hidden = cache(lambda team_id: hidden_fields(token, team_id))
        # Forms and links are drawn once for all rows alike, with ANY_ID in the place of the row's.
        self.star_of, self.acts_of = cache(self._star), cache(self._acts)
        select = SELECT if self.may_submit else ""
        cells = "".join(OPTIONAL[name] for name in look.columns)
        self.markup = _one_line(HEAD + select + FIRST + cells + LAST)

    def write(self, row: FalRequest) -> SafeString:
        """Draw a row."""
        public_id = str(row.public_id)
        return fill(
            self.markup,
            id=public_id,
            seq=row.seq,
            status=row.status,
            created=f"{int(row.created_at.timestamp())}.{row.created_at.microsecond:06}",
            endpoint=row.endpoint_id,
            find_status=find(row.status, "status"),
            badge=badge(row),
            find_endpoint=find(row.endpoint_id, "endpoint"),
            url=self.detail.replace(ANY_ID, public_id),
            row_query=self.look.row_query,
            whole_name=_whole_name(row),
            modes=_modes(row),
            picture=_picture(row),
            summary=row.summary,
            words=_words(row),
            tags=self._tags(row),
            error=_error(row),
            person=(person := row.person.get_username()),
            find_person=find(person, "by"),
            age=self._age(row.created_at),
            took=took_in_words(row, SO_FAR) if row.origin != RequestOrigin.IMPORTED else "",
            last=self._last(row, public_id),
            **_optional(row),
        )

    def _age(self, created_at: datetime) -> SafeString:
        times = self.look.times
        return element(created_at, "age", times, text=AGE if times.has_ages else "")

    def _tags(self, row: FalRequest) -> SafeString:
        """Draw the first tags; each leads to the list of its requests."""
        if not (tags := tags_of(row)):
            return NOTHING
        chips = [_tag(tag, list_of_tag(tag, self.look.query)) for tag in tags[:MOST_TAGS]]
        further = len(tags) - MOST_TAGS
        more = fill(FURTHER, further) if further > 0 else NOTHING
        return fill(TAGS, joined(chips), more)

    def _last(self, row: FalRequest, public_id: str) -> SafeString:
        """Draw the star and what a user may do with the row as it is now."""
        star = self.star_of(row.team_id, starred=getattr(row, "is_starred", None))
        acts = self.acts_of(row.team_id, _next(row)) if self.may_submit else NOTHING
        return for_id(joined((star, SPACE, acts)), public_id)

    def _star(self, team_id: int, *, starred: bool | None) -> SafeString:
        return star_form(
            starred=starred,
            url=self.star,
            hidden=self.hidden(team_id),
            label=self.icon("star", label="Star"),
            kind=" button-icon",
        )

    def _acts(self, team_id: int, following: str) -> SafeString:
        tags = fill(TAG_BUTTON, url=self.tags, icon=self.icon("tag", label="Tags"))
        match following:
            case "again":
                repeat = self.icon("again", label="Run again")
                return tags + fill(AGAIN, url=self.new, id=ANY_ID, icon=repeat)
            case "decide":
                decide = self.icon("right", label="Decide")
                return tags + fill(DECIDE, url=self.detail, icon=decide)
            case "cancel":
                return tags + fill(
                    CANCEL,
                    url=self.cancel,
                    hidden=self.hidden(team_id),
                    next=self.back,
                    icon=self.icon("stop", label="Cancel"),
                )
        return tags


@register.simple_tag(takes_context=True)
def table_rows(context: Context) -> SafeString:
    """Draw the context's `rows`, each a `ListedRow`, with its `columns`."""
    writer, now = _writer(RowLook.of(context)), timezone.now()  # type: ignore[arg-type]
    rows = "".join(_at(_drawn(writer, row), now) for row in context["rows"])
    token = escape(str(context.get("csrf_token") or ""))
    return SafeString(rows.replace(TOKEN, token))  # nosec B703  # rows are drawn safe, the token is escaped


class DrawnRow(NamedTuple):
    """The text of a row, with marks."""

    text: str
    created_at: datetime


def _at(drawn: DrawnRow, now: datetime) -> str:
    """Put in what depends on the clock."""
    text = drawn.text.replace(AGE, age(drawn.created_at, now))
    return text.replace(SO_FAR, so_far(drawn.created_at, now)) if SO_FAR in text else text


def _drawn(writer: RowWriter, row: ListedRow) -> DrawnRow:
    return _draw(writer, row) if row.waits_for_picture else _kept(writer, row)


def _draw(writer: RowWriter, row: ListedRow) -> DrawnRow:
    request = row.request()
    return DrawnRow(writer.write(request), request.created_at)


# One for a look: it stands for the look in the keys of rows, which are compared fifty times a page.
_writer = lru_cache(maxsize=64)(RowWriter)
_kept = lru_cache(maxsize=MOST_KEPT)(_draw)


def _address(name: str) -> str:
    """Return the address of a page of any request, with `ANY_ID` in the place of its id."""
    return reverse(f"requests:{name}", args=[ANY_ID])


def _next(row: FalRequest) -> str:
    """Return what is to be done with a row as it is now, beside tags."""
    if row.is_ended:
        return "" if row.is_hidden else "again"
    if row.status == Status.UNCERTAIN:
        return "decide"
    return "" if row.is_cancelling else "cancel"


def _tag(tag: Tag, url: str) -> SafeString:
    return fill(TAG, " tag-fals" if tag.is_fals else "", url, tag.name, tag.name)


def _one_line(markup: str) -> str:
    return " ".join(markup.split())


def _optional(row: FalRequest) -> dict[str, Any]:
    """Return the values of the optional cells."""
    key = row.fal_key.name if row.fal_key else ""
    return {
        "short_id": str(row.public_id)[:8],
        "fal_id": row.fal_request_id,
        "find_origin": find(row.origin, "source"),
        "origin": _ORIGINS.get(row.origin, row.origin) if row.origin else "",
        "find_key": find(key, "key"),
        "key": key,
        "find_seed": find(row.seed, "seed"),
        "seed": row.seed or "",
        "find_kind": find(row.error_type, "error"),
        "kind": row.error_type,
        "webhook": row.webhook_verdict or "",  # type: ignore[attr-defined] # see marks.for_rows
        "size": filesizeformat(row.output_size) if row.output_size else "",
        "units": row.billable_units,
        "cost": _cost(row),
    }


def _whole_name(row: FalRequest) -> SafeString:
    return fill(WHOLE_NAME, row.endpoint_id) if len(row.endpoint_id) > LONG_NAME else NOTHING


def _words(row: FalRequest) -> str:
    if row.payload_removed_at:
        return "input removed"
    return "hidden" if row.is_hidden else row.summary or "no input"


def _modes(row: FalRequest) -> SafeString:
    mode = fill(MODE, row.mode) if row.mode != Mode.QUEUE else NOTHING
    imported = fill(MODE, "imported") if row.origin == RequestOrigin.IMPORTED else NOTHING
    return mode + imported


def _picture(row: FalRequest) -> SafeString:
    look = thumbnail(row)
    return small_picture(row, look, size=96, width=32, height=32) if look else NOTHING


def _error(row: FalRequest) -> SafeString:
    blamed = "user" if row.was_user_error else "fal"
    return fill(ERROR, blamed, row.error, row.error) if row.error else NOTHING


def _cost(row: FalRequest) -> SafeString | str:
    cost = cost_of(row)
    return _with_reason(cost.why, cost.words) if cost.why else cost.words


# There are few reasons.
@lru_cache(maxsize=256)
def _with_reason(why: str, words: str) -> SafeString:
    return fill(WHY, why, words)

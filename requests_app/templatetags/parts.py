"""Parts of a request that a row of the list and other pages show alike.

Written in Python, for a list draws them a hundred times: by templates they took most of its time. `fill` escapes
every value.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from requests_app.display.markup import NOTHING, fill
from requests_app.models import FalRequest
from requests_app.templatetags.requests_extras import StatusLook, icon, status_look, team_field
from requests_app.thumbnails.states import ThumbnailLook

register = template.Library()

ANY_ID = str(UUID(int=0))  # in markup that is drawn once for all rows
UNKNOWN = fill(" data-unknown")
CSRF = '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
BADGE = '<span class="badge badge-{}" title="{}">{}{}</span>'
MADE = '<img class="row-thumb" alt="" loading="lazy" src="{}?v={}{}" width="{}" height="{}" decoding="async">'
ORIGINAL = (
    '<img class="row-thumb" src="{}" alt="" width="{}" height="{}"'
    ' loading="lazy" decoding="async" referrerpolicy="no-referrer">'
)
NOT_MADE = '<span class="row-thumb media-lost" title="{}">{}</span>'
# thumbnails.js asks for it; its place has the size of the picture.
WANTED = (
    '<span class="row-thumb media-lost" data-thumbnail="{}{}" data-ask="{}"'
    ' data-size="{}" data-width="{}" data-height="{}">{}</span>'
)
# js/lib/marks.js keeps all of a page's stars on one request alike.
STAR = (
    '<form class="star-mark" method="post" action="{url}" hx-post="{url}" hx-swap="none" data-star="{id}"{unknown}>'
    '{hidden} <input type="hidden" name="on" value="{on}"> '
    '<button class="button button-quiet button-small{kind}" aria-pressed="{pressed}"'
    ' title="Starred requests: starred:yes in the search">{label}</button></form>'
)


@register.simple_tag
def badge(row: FalRequest) -> SafeString:
    """Draw the status of a request."""
    look = status_look(row)
    return _badge(look, icon(look.icon))


# The looks of statuses, of which those in a queue have a number each.
@lru_cache(maxsize=256)
def _badge(look: StatusLook, drawn: SafeString) -> SafeString:
    return fill(BADGE, look.key, look.sentence, drawn, look.word)


@register.simple_tag
def small_picture(
    row: FalRequest,
    look: ThumbnailLook,
    *,
    size: int,
    width: int,
    height: int,
    further: int | None = None,
) -> SafeString:
    """Draw the row's picture, or its `further` one, small; one that is not made yet is asked for."""
    if look.version:
        path = reverse("requests:thumbnail", args=[row.public_id, size])
        number = "" if further is None else f"&n={further}"
        return fill(MADE, path, look.version, number, width, height)
    if look.original:
        return fill(ORIGINAL, look.original, width, height)
    if look.problem:
        return fill(NOT_MADE, look.problem, icon("image"))
    number = "" if further is None else f".{further}"
    ask = reverse("requests:thumbnails")
    return fill(WANTED, row.public_id, number, ask, size, width, height, icon("image"))


@register.simple_tag(takes_context=True)
def star(context: Mapping[str, Any], row: FalRequest, *, starred: bool) -> SafeString:
    """Write a user's star on a request, with a word; `starred`: whether it is on."""
    form = star_form(
        starred=starred,
        url=reverse("requests:star_request", args=[ANY_ID]),
        hidden=hidden_fields(context, row.team_id),
        label=fill("{}Star", icon("star")),
    )
    return for_id(form, str(row.public_id))


def star_form(
    *,
    starred: bool | None,
    url: str,
    hidden: SafeString,
    label: SafeString,
    kind: str = "",
) -> SafeString:
    """Write the form of a star on any request; `starred`: None where the user is not known (a row that is pushed to several)."""
    return fill(
        STAR,
        url=url,
        id=ANY_ID,
        unknown=UNKNOWN if starred is None else "",
        hidden=hidden,
        on="0" if starred else "1",
        pressed="true" if starred else "false",
        kind=kind,
        label=label,
    )


def for_id(markup: SafeString, public_id: str) -> SafeString:
    """Return what was drawn for any request as that of one; `public_id`: a UUID, which needs no escaping."""
    return SafeString(markup.replace(ANY_ID, public_id))  # nosec B703  # both are safe


def hidden_fields(context: Mapping[str, Any], team_id: int) -> SafeString:
    """Write the hidden fields of a form that acts on a team's request; a row that is pushed has no CSRF token."""
    token = context.get("csrf_token")
    return (fill(CSRF, token) if token else NOTHING) + team_field(team_id)

"""Where a page loads a medium from, and how long it can be had. Every page asks here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from requests_app.display.media import Fate, Medium
from requests_app.display.times import age
from requests_app.models import CopyState, FalRequest, MediaCopy

SOON = timedelta(days=1)
MOST_S = 3e9  # a hundred years
_OPTION = "object_lifecycle_preference"
_NOT_KEPT = {
    CopyState.TOO_LARGE: "not kept: too large",
    CopyState.OVER_QUOTA: "not kept: over quota",
    CopyState.FAILED: "not kept",
}


def addressed(row: FalRequest, media: Sequence[Medium], now: datetime) -> list[Medium]:
    """Return the media of one request with the addresses from which pages load them."""
    return addressed_many({row: media}, now)[row]


def addressed_many(
    found: Mapping[FalRequest, Sequence[Medium]], now: datetime
) -> dict[FalRequest, list[Medium]]:
    """Do the same for many requests in one query. It reads `public_id`, `options` and `ended_at` of each."""
    wanted = [row.pk for row, media in found.items() if any(one.is_remote for one in media)]
    copies: dict[tuple[int, str], MediaCopy] = {}
    if wanted:
        known = MediaCopy.objects.filter(request__in=wanted)
        copies = {(copy.request_id, copy.url): copy for copy in known}
    return {
        row: [
            _placed(row, medium, copies.get((row.pk, medium.url)), now)
            if medium.is_remote
            else medium
            for medium in media
        ]
        for row, media in found.items()
    }


def first_kept(rows: Iterable[FalRequest]) -> dict[int, MediaCopy]:
    """Return our copy of each row's picture for lists (`thumbnail_url`), by the row's key, in one query."""
    urls = {row.pk: row.thumbnail_url for row in rows if row.thumbnail_url.startswith("http")}
    known = MediaCopy.objects.filter(request__in=list(urls), state=CopyState.KEPT)
    return {copy.request_id: copy for copy in known if copy.url == urls[copy.request_id]}


def address_of(row: FalRequest, copy: MediaCopy) -> str:
    """Return the address of a kept copy."""
    return reverse("requests:kept_media", args=[row.public_id, copy.number])


def expires_at(row: FalRequest) -> datetime | None:
    """Return when fal deletes the files of an ended request; None when it keeps them, or is not known to."""
    seconds = _lifetime_s(row.options.get(_OPTION))
    if seconds is None or row.ended_at is None:
        return None
    return row.ended_at + timedelta(seconds=seconds)


def _lifetime_s(option: Any) -> float | None:
    if isinstance(option, str):
        try:
            option = json.loads(option)
        except (ValueError, RecursionError):
            return None
    seconds = option.get("expiration_duration_seconds") if isinstance(option, Mapping) else None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    return float(min(seconds, MOST_S)) if seconds > 0 else None


def _placed(row: FalRequest, medium: Medium, copy: MediaCopy | None, now: datetime) -> Medium:
    if copy is not None and copy.is_kept:
        fate = _kept_fate(row, now)
        return replace(medium, kept=address_of(row, copy), fate=fate)
    return replace(medium, fate=_fate(row, copy, now))


def _kept_fate(row: FalRequest, now: datetime) -> Fate:
    end = expires_at(row)
    if end is None:
        return Fate("kept here", "This installation has a copy of its own.", "kept")
    at_fal = f"deletes its own {age(end, now)}" if end > now else "has deleted its own"
    return Fate("kept here", f"This installation has a copy; fal {at_fal}.", "kept", end <= now)


def _fate(row: FalRequest, copy: MediaCopy | None, now: datetime) -> Fate | None:
    end = expires_at(row)
    is_expired = copy is not None and copy.state == CopyState.EXPIRED
    if is_expired or (end is not None and end <= now):
        sentence = "fal has deleted it, and no copy was kept here."
        return Fate("gone", sentence, "gone", is_gone=True)
    why = _NOT_KEPT.get(CopyState(copy.state), "waits to be kept here") if copy else ""
    sentence = copy.problem if copy else ""
    if end is None:
        tone = "later" if copy and copy.state == CopyState.WAITING else "soon"
        return Fate(why, sentence or "It is still at fal.", tone) if why else None
    left = f"expires at fal {age(end, now)}"
    words = f"{why}, {left}" if why else left
    return Fate(words, sentence or "fal deletes it then.", "soon" if end - now < SOON else "later")

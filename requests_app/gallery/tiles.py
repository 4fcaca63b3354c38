"""The tiles of some requests: each medium of each, in the order of the list and then of the output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from requests_app.copies.address import addressed_many
from requests_app.display.kept_media import media_of, seed_told
from requests_app.display.media import Medium
from requests_app.models import FalRequest
from requests_app.paging import Page
from requests_app.thumbnails.further import PictureKey, further_looks, own_number
from requests_app.thumbnails.states import ThumbnailLook, look_at

TILES = 48  # of a page, and then the rest of the last request's


@dataclass(frozen=True)
class Tile:
    """One medium of a request. `look`: its small picture, if it is one."""

    row: FalRequest
    number: int  # among the request's media, from 0
    medium: Medium
    look: ThumbnailLook | None
    seed: str
    further: int | None  # which picture `look` is of; None: the request's first

    @property
    def key(self) -> str:
        """Return what names the medium in addresses and forms."""
        return f"{self.row.public_id}.{self.number}"


def tiles_of(rows: Iterable[FalRequest], now: datetime) -> list[Tile]:
    """Return the tiles; `rows` are loaded with their media, options and thumbnail."""
    found = addressed_many({row: media_of(row) for row in rows}, now)
    looks = further_looks(found, now)
    return [tile for row, media in found.items() for tile in _tiles(row, media, looks, now)]


def fitted(page: Page[FalRequest], *, is_upwards: bool = False) -> Page[FalRequest]:
    """Return the page with the requests that fill it: one of them may have a hundred media.

    `is_upwards`: the page leads to what is above; it keeps its end.
    """
    if is_upwards:
        kept = _filling(page.rows[::-1])[::-1]
        is_whole = len(kept) == len(page.rows)
        return page if is_whole else replace(page, rows=kept, newer=f"newer={kept[0].public_id}")
    kept = _filling(page.rows)
    is_whole = len(kept) == len(page.rows)
    return page if is_whole else replace(page, rows=kept, older=f"older={kept[-1].public_id}")


def _filling(rows: Sequence[FalRequest]) -> list[FalRequest]:
    kept: list[FalRequest] = []
    tiles = 0
    for row in rows:
        kept.append(row)
        tiles += len((row.media or {}).get("items", []))
        if tiles >= TILES:
            break
    return kept


def _tiles(
    row: FalRequest,
    media: Sequence[Medium],
    further: Mapping[PictureKey, ThumbnailLook],
    now: datetime,
) -> list[Tile]:
    own, seed = own_number(row), seed_told(row)
    looks = {number: further.get((row.pk, number)) for number in range(len(media))}
    if own is not None:
        looks[own] = look_at(row, now)
    return [
        Tile(
            row,
            number,
            medium,
            _look(medium, looks[number]),
            seed,
            None if number == own else number,
        )
        for number, medium in enumerate(media)
        if medium.url
    ]


def _look(medium: Medium, small: ThumbnailLook | None) -> ThumbnailLook | None:
    return small or ThumbnailLook(original=medium.address) if medium.kind == "image" else None

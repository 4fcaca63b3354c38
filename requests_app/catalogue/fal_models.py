"""Search fal's list of models, without the key, and keep what it says of each model.

Pages are cached for ten minutes in this process, a failure for half a minute. What a model's entry
says is stored, so that a team's own list and an endpoint's page need no network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Exists, OuterRef
from django.utils import timezone

from requests_app.catalogue.download import DownloadError, download
from requests_app.fal.jsontext import NotJson
from requests_app.fal.models_list import PATH, Model, ModelsPage, read_models, search_params
from requests_app.models import Endpoint, ModelCard
from requests_app.rules.storable import storable_columns

WHAT = "fal's list of models"
TIMEOUT_S = 4.0  # per step
DEADLINE_S = 6.0  # in all: a reader waits for it
MOST_BYTES = 4 * 1024 * 1024
KEPT_S = 600
FAILURE_KEPT_S = 30
FRESH = timedelta(hours=24)  # a younger card is not fetched again
AT_ONCE = 3  # cards fetched in one run of the clock
_COLUMNS = ("title", "category", "description", "status", "licence", "page_url")


@dataclass(frozen=True)
class Found:
    """One page of a search; `problem` says why there is none."""

    page: ModelsPage
    problem: str = ""


def search(*, q: str = "", category: str = "", cursor: str = "") -> Found:
    """Return one page of fal's models. A failure is part of the answer, never an exception."""
    params = search_params(q=q, category=category, cursor=cursor)
    key = _key(params)
    if (known := cache.get(key)) is not None:
        found: Found = known
        return found
    found = _fetch(params)
    cache.set(key, found, FAILURE_KEPT_S if found.problem else KEPT_S)
    return found


def cached(*, q: str = "", category: str = "", cursor: str = "") -> Found | None:
    """Return the page if it is in the cache; nothing is fetched."""
    known: Found | None = cache.get(_key(search_params(q=q, category=category, cursor=cursor)))
    return known


def refresh_cards(*, now: datetime) -> int:
    """Ask fal's list for endpoints whose card is missing or old, a few in one run; return how many."""
    fresh = ModelCard.objects.filter(
        endpoint_id=OuterRef("endpoint_id"), checked_at__gt=now - FRESH
    )
    due = Endpoint.objects.filter(~Exists(fresh)).order_by("-checked_at")
    names = list(due.values_list("endpoint_id", flat=True)[:AT_ONCE])
    for name in names:
        _refresh_card(name, now)
    return len(names)


def look_for_card(name: str, *, now: datetime) -> None:
    """Ask fal's list for an endpoint that was never asked for."""
    if not ModelCard.objects.filter(endpoint_id=name).exists():
        _refresh_card(name, now)


def _refresh_card(name: str, now: datetime) -> None:
    """One id in one call: fal answers 404 for all when a single id is unknown."""
    models: tuple[Model, ...] = ()
    try:
        models = read_models(_download({"endpoint_id": name})).models
    except DownloadError as error:
        if error.status not in (400, 404):
            _keep_old(name, now)
            return
    except NotJson:
        _keep_old(name, now)
        return
    if any(model.endpoint_id == name for model in models):
        keep(models, now=now)
    else:
        values = {"is_listed": False, "checked_at": now}
        ModelCard.objects.update_or_create(endpoint_id=name, defaults=values)


def _keep_old(name: str, now: datetime) -> None:
    """Nothing was learned: what is known stays, and is asked for again tomorrow."""
    card, is_new = ModelCard.objects.get_or_create(
        endpoint_id=name, defaults={"is_listed": False, "checked_at": now}
    )
    if not is_new:
        ModelCard.objects.filter(pk=card.pk).update(checked_at=now)


def keep(models: Iterable[Model], *, now: datetime) -> None:
    """Store what the list says of these models."""
    cards = [
        ModelCard(
            endpoint_id=model.endpoint_id,
            is_listed=True,
            checked_at=now,
            **storable_columns(ModelCard, {name: getattr(model, name) for name in _COLUMNS}),
        )
        for model in models
        if len(model.endpoint_id) <= 300
    ]
    ModelCard.objects.bulk_create(
        {card.endpoint_id: card for card in cards}.values(),
        update_conflicts=True,
        unique_fields=["endpoint_id"],
        update_fields=["is_listed", "checked_at", *_COLUMNS],
    )


def _fetch(params: dict[str, str]) -> Found:
    try:
        page = read_models(_download(params))
    except DownloadError as error:
        return Found(ModelsPage(()), str(error))
    except NotJson:
        return Found(ModelsPage(()), f"{WHAT} could not be read: it is not what fal documents.")
    keep(page.models, now=timezone.now())
    return Found(page)


def _download(params: dict[str, str]) -> bytes:
    return download(
        settings.FAL_API_URL + PATH,
        what=WHAT,
        most=MOST_BYTES,
        timeout_s=TIMEOUT_S,
        deadline_s=DEADLINE_S,
        params=params,
    )


def _key(params: dict[str, str]) -> str:
    """Hash the address and query: a cache key has no spaces and a bounded length."""
    asked = json.dumps([settings.FAL_API_URL, sorted(params.items())])
    return f"models:{hashlib.sha256(asked.encode()).hexdigest()}"

"""A document that a team pastes for an app of its own, in place of the one that fal serves or does not."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from requests_app.catalogue import own, store, versions
from requests_app.catalogue.document import DocumentError, parse_document
from requests_app.fal.endpoints import EndpointId
from requests_app.models import EndpointDocument, Team, TeamEndpoint

MAX_BYTES = 2 * 1024 * 1024
MOST_KEPT = 10  # versions of an endpoint, which later changes are compared with


class PasteRefused(ValueError):
    """The document is not taken; the message is a sentence for users."""


def paste(
    team: Team, endpoint: EndpointId, raw: bytes, *, person: AbstractBaseUser, now: datetime
) -> store.Entry:
    """Check, store and use it. Raises PasteRefused."""
    name = str(endpoint)
    known = _checked(endpoint, raw)
    if own.cards_of([name]) and _fals(name):
        raise PasteRefused(
            f"{name} is in fal's list of models, and fal serves its schema. Only an app of your own takes "
            "a pasted one."
        )
    changed = store.changed_from(store.holder(name, team), known, now)
    try:
        with transaction.atomic():
            document = store.keep_document(name, raw, now, team)
            own.set_document(team, endpoint, document, person=person, pasted_at=now, **changed)
            _drop_oldest(team, name)
    except own.TooManyEndpoints as error:
        raise PasteRefused(str(error)) from None
    if changed:  # no news to who brought it
        versions.dismiss(person, endpoint, now)
    return store.get(endpoint, team)


def use_fals(team: Team, endpoint: EndpointId, *, person: AbstractBaseUser) -> None:
    """Use fal's document again; the pasted versions are kept for a comparison."""
    if TeamEndpoint.objects.filter(team=team, endpoint_id=str(endpoint)).exists():
        own.set_document(team, endpoint, None, person=person, pasted_at=None)


def too_large(size: int) -> str:
    """Say that a document of so many bytes is not taken."""
    return f"The document has {size:,} bytes; {MAX_BYTES:,} are taken at most."


def _checked(endpoint: EndpointId, raw: bytes) -> store.Known:
    if len(raw) > MAX_BYTES:
        raise PasteRefused(too_large(len(raw)))
    try:
        document = parse_document(raw, endpoint)
        document.ensure_own_path()
    except DocumentError as error:
        raise PasteRefused(str(error)) from None
    return store.Known(document)


def _fals(name: str) -> bool:
    return EndpointDocument.objects.filter(endpoint_id=name, team=None).exists()


def _drop_oldest(team: Team, name: str) -> None:
    """Keep the newest versions, and the one in use."""
    mine = EndpointDocument.objects.filter(team=team, endpoint_id=name)
    used = TeamEndpoint.objects.filter(team=team, endpoint_id=name).values("document")
    newest = list(mine.order_by("-first_seen_at", "-pk").values_list("pk", flat=True)[:MOST_KEPT])
    mine.exclude(pk__in=newest).exclude(pk__in=used).delete()

"""The stored documents: read from the database, fetched when they are missing or old. One that a team has
pasted comes before fal's, for that team alone.

Each version is stored once, by its hash. Parsed documents are cached by that hash, so a form opens
without fetching and without parsing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from dashboard.local_apps import app_of
from requests_app.catalogue import source
from requests_app.catalogue.changes import changes
from requests_app.catalogue.document import Document, DocumentError, parse_document
from requests_app.catalogue.fields import Field, InputForm, input_form
from requests_app.catalogue.validation import Validator
from requests_app.fal.endpoints import EndpointId
from requests_app.models import Endpoint, EndpointDocument, Team, TeamEndpoint

FRESH = timedelta(hours=24)  # a younger document is not fetched again
RETRY = timedelta(minutes=5)  # after an endpoint without a document
OF_OWN_APP = timedelta(seconds=10)  # an own app is changed and started anew while it is written
AT_ONCE = 3  # documents fetched in one run of the clock: each may take 10 s
PARSED = 64  # documents in the cache of parsed ones


class Known:
    """One version of a document, parsed once, with its fields and validator."""

    def __init__(self, document: Document) -> None:
        self.document = document

    @cached_property
    def form(self) -> InputForm:
        return input_form(self.document)

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.form.fields

    @cached_property
    def validator(self) -> Validator:
        return Validator(self.document)


@dataclass(frozen=True)
class Entry:
    """What is known about an endpoint. `problem`: why `known` is None, or why it may be old.

    `pasted_at`: since when the team has used a document of its own in place of fal's, and `pasted_by` whose.
    """

    endpoint_id: str
    known: Known | None
    problem: str = ""
    pasted_by: str = ""
    pasted_at: datetime | None = None


def holder(endpoint_id: str, team: Team) -> Endpoint | TeamEndpoint | None:
    """Return what has the document for this team: its own entry if it has pasted one, else fal's."""
    own = TeamEndpoint.objects.select_related("document", "changed_from", "pasted_by")
    own = own.defer("document__raw", "changed_from__raw")
    pasted = own.filter(team=team, endpoint_id=endpoint_id, document__isnull=False).first()
    return pasted or _endpoints().filter(endpoint_id=endpoint_id).first()


def look_up(endpoint_id: str, team: Team) -> Entry | None:
    """Return what the database has and fetch nothing. None: never asked for."""
    row = holder(endpoint_id, team)
    return None if row is None else _entry(row)


def get(endpoint: EndpointId, team: Team) -> Entry:
    """Return what is known; fetch it first when it is missing or due for another try."""
    row = holder(str(endpoint), team)
    now = timezone.now()
    if isinstance(row, TeamEndpoint):
        return _entry(row)
    is_own = app_of(str(endpoint)) is not None
    is_recent = row is not None and now - row.checked_at < (OF_OWN_APP if is_own else RETRY)
    if row is not None and (is_recent or (row.document_id is not None and not is_own)):
        return _entry(row)
    return refresh(endpoint, now=now)


def refresh(endpoint: EndpointId, *, now: datetime) -> Entry:
    """Fetch fal's, or the own app's, and store it. If that fails, the known version stays, with the problem."""
    name = str(endpoint)
    try:
        raw = source.fetch(endpoint)
        document = parse_document(raw, endpoint)
        if app_of(name):
            document.ensure_own_path()
        known = Known(document)
    except (source.SourceError, DocumentError) as error:
        return _entry(_keep(name, {"checked_at": now, "problem": str(error)[:300]}))
    # Outside of the transaction, for it parses.
    changed = changed_from(_endpoints().filter(endpoint_id=name).first(), known, now)
    return _entry(_keep(name, {"checked_at": now, "problem": "", **changed}, raw))


def refresh_old(*, now: datetime) -> int:
    """Fetch the oldest documents again, a few in one run. Return how many were due."""
    old = Endpoint.objects.filter(checked_at__lt=now - FRESH, document__isnull=False)
    names = list(old.order_by("checked_at").values_list("endpoint_id", flat=True)[:AT_ONCE])
    for name in names:
        refresh(EndpointId.parse(name), now=now)
    return len(names)


def changed_from(
    row: Endpoint | TeamEndpoint | None, known: Known, now: datetime
) -> dict[str, object]:
    """Return what is stored when a new document has other fields than the one that `row` has."""
    before = row.document if row else None
    if row is None or before is None:
        return {}
    if not changes(parsed(before.digest, row.endpoint_id).fields, known.fields):
        return {}
    return {"changed_from": before, "changed_at": now}


def keep_document(
    name: str, raw: bytes, now: datetime, team: Team | None = None
) -> EndpointDocument:
    """Store a version once, by its hash."""
    digest = hashlib.sha256(raw).hexdigest()
    document, _ = EndpointDocument.objects.get_or_create(
        team=team, endpoint_id=name, digest=digest, defaults={"raw": raw, "first_seen_at": now}
    )
    return document


def _keep(name: str, values: dict[str, Any], raw: bytes = b"") -> Endpoint:
    with transaction.atomic():
        if raw:
            values["document"] = keep_document(name, raw, values["checked_at"])
        row, _ = Endpoint.objects.update_or_create(endpoint_id=name, defaults=values)
    return row


def _endpoints() -> QuerySet[Endpoint]:
    """Select endpoints with their document's digest; its bytes are read once, when it is parsed."""
    rows = Endpoint.objects.select_related("document", "changed_from")
    return rows.defer("document__raw", "changed_from__raw")


def _entry(row: Endpoint | TeamEndpoint) -> Entry:
    document = row.document
    known = None if document is None else parsed(document.digest, row.endpoint_id)
    if isinstance(row, Endpoint):
        return Entry(row.endpoint_id, known, row.problem)
    by = row.pasted_by.get_username() if row.pasted_by else ""
    return Entry(row.endpoint_id, known, "", by, row.pasted_at)


@lru_cache(maxsize=PARSED)
def parsed(digest: str, endpoint_id: str) -> Known:
    """Parse the document with these bytes for an endpoint, once for all teams that have it."""
    raw = EndpointDocument.objects.filter(digest=digest).values_list("raw", flat=True).first()
    return Known(parse_document(bytes(raw or b""), EndpointId.parse(endpoint_id)))

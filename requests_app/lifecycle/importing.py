"""A run that was made elsewhere becomes a request: ended, with nothing left to do, counted nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from requests_app import audit
from requests_app.display import summary
from requests_app.fal.reports import LogEntry
from requests_app.fal.transport import BEGINNING
from requests_app.lifecycle.log_lines import add_logs, new_logs
from requests_app.lifecycle.tagging import link_first_tags
from requests_app.lifecycle.writing import PART, record
from requests_app.models import (
    AuditAct,
    Delivery,
    FalRequest,
    Frame,
    ImportedRun,
    OutputPart,
    RequestOrigin,
    Source,
    Team,
)
from requests_app.rules.storable import storable_columns
from requests_app.runfile.reading import ReadRun
from requests_app.runfile.tables import IMPORTED

AT_ONCE = 500  # frames in one INSERT
_KEPT_TIMES = ("payload_removed_at", "frames_removed_at")


def import_run(
    run: ReadRun, *, team: Team, person: AbstractBaseUser, now: datetime
) -> tuple[FalRequest, bool]:
    """Store the run as a request that ended now; the flag says whether it is new.

    Of now, so that order, search by time and retention stay true of what the team has. The same run is
    stored once for a team; in a race the unique digest lets one through. Raises InvalidDraft when the
    team has too many tags.
    """
    if known := _known(run, team):
        return known, False
    derived = {} if run.draft is None else summary.of_input(run.draft.input_text)
    derived |= summary.of_output(
        {"output": run.output[:BEGINNING], "output_type": run.facts.output_type}
    )
    try:
        with transaction.atomic():
            return _store(run, derived, team, person, now), True
    except IntegrityError:
        known = _known(run, team)
        if known is None:
            raise
        return known, False


def _known(run: ReadRun, team: Team) -> FalRequest | None:
    same = FalRequest.objects.without_payload()
    return same.filter(imported_run__team=team, imported_run__content=run.content).first()


def _store(
    run: ReadRun, derived: Mapping[str, Any], team: Team, person: AbstractBaseUser, now: datetime
) -> FalRequest:
    facts, draft = run.facts, run.draft
    told = facts.model_dump(
        include={"mode", "status", "output_type", "error", "error_type", "error_code", "metrics"}
    )
    options = draft.options if draft else facts.options
    columns = {**told, **derived, "endpoint_id": facts.endpoint_id, "options": options}
    row = FalRequest.objects.create(
        team=team,
        person_id=person.pk,
        origin=RequestOrigin.IMPORTED,
        created_at=now,
        ended_at=now,
        input_text=draft.input_text if draft else "",
        output=run.output[:BEGINNING] or None,
        output_size=facts.output_size,
        **{name: facts.times.get(name) for name in _KEPT_TIMES},
        **storable_columns(FalRequest, columns),
    )
    ImportedRun.objects.create(
        request=row, team=team, content=run.content, original_id=facts.id, facts=run.facts_text,
        observations=run.observations, schema=run.schema, schema_seen_at=run.schema_seen_at,
        made_at=facts.times.get("created_at") or now, started_at=facts.times.get("started_at"),
        ended_at=facts.times.get("ended_at"),
        **storable_columns(ImportedRun, {
            "person": facts.by, "site": run.site, "fal_request_id": facts.fal_request_id,
        }),
    )  # fmt: skip
    _store_tables(row, run)
    link_first_tags(row, run.tags)
    note = f"Imported by {person.get_username()} from the file of a run."
    record(row, row.status, IMPORTED, note, Source.PERSON, at=now)
    audit.note(
        AuditAct.IMPORTED, audit.the_request(row, run=str(facts.id)), team_id=team.pk, by=person
    )
    return row


def _store_tables(row: FalRequest, run: ReadRun) -> None:
    rest = range(BEGINNING, len(run.output), PART)
    OutputPart.objects.bulk_create(
        (OutputPart(request=row, number=number, data=run.output[start : start + PART])
        for number, start in enumerate(rest, 1)), batch_size=1,
    )  # fmt: skip
    for lines in new_logs(row.pk, _entries(run)):
        add_logs(row.pk, lines)
    Frame.objects.bulk_create(
        (Frame(request=row, **storable_columns(Frame, one)) for one in run.frames),
        batch_size=AT_ONCE,
    )
    for one in run.deliveries:
        digest = hashlib.sha256(one["body"]).hexdigest()
        columns = storable_columns(Delivery, one)
        Delivery.objects.create(request=row, team_id=row.team_id, digest=digest, **columns)


def _entries(run: ReadRun) -> Iterable[LogEntry]:
    return (LogEntry(**one) for one in run.logs)

"""Replace the name of a deleted account in the history of requests, where sentences quote it."""

from __future__ import annotations

import re

from django.db.models import Q

from requests_app.models import ErrorType, FalRequest, Observation, Source
from requests_app.search.index import write_entries

_BY_PEOPLE = (Source.PERSON, Source.GATEWAY)


def rename_in_history(which: Q, pattern: re.Pattern[str], name: str, former: str) -> None:
    """Write `former` for the name in these observations, and in the errors that users have ended requests with.

    In the caller's transaction; versions of rows stay, for nothing has happened to them.
    """
    found = Observation.objects.filter(which, source__in=_BY_PEOPLE, note__contains=name)
    given_up = []
    for seen in found.only("note", "data", "kind", "request_id"):
        note = pattern.sub(former, seen.note)
        if note == seen.note:
            continue
        data = {
            key: pattern.sub(former, value) if isinstance(value, str) else value
            for key, value in seen.data.items()
        }
        Observation.objects.filter(pk=seen.pk).update(note=note, data=data)
        if seen.kind == "ended":
            given_up.append(seen.request_id)
    rows = FalRequest.objects.filter(pk__in=given_up, error_type=ErrorType.GIVEN_UP)
    for pk, error in rows.values_list("pk", "error"):
        FalRequest.objects.filter(pk=pk).update(error=pattern.sub(former, error))
    if given_up:
        write_entries(set(given_up))

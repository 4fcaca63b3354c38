"""What run.json says of the request itself."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from requests_app.fal.headers import InvalidHeader, build_headers, build_query, platform_options
from requests_app.models import FalRequest, ImportedRun, RequestOrigin

TIMES = (
    "created_at", "sent_at", "accepted_at", "started_at", "finished_at", "ended_at",
    "cancel_asked_at", "payload_removed_at", "frames_removed_at",
)  # fmt: skip
REMOVALS = ("payload_removed_at", "frames_removed_at")
TEXTS = (
    "endpoint_id", "mode", "status", "cancel_answer", "fal_request_id", "gateway_request_id",
    "status_url", "response_url", "cancel_url", "output_type", "billable_units", "error", "error_type",
)  # fmt: skip


def facts_of(row: FalRequest) -> dict[str, Any]:
    """Return what is known besides what has a file of its own; of an imported run what its file said."""
    if run := imported_run(row):
        told: dict[str, Any] = json.loads(run.facts)
        for name in REMOVALS:  # here as well
            told["times"][name] = told["times"].get(name) or time_text(getattr(row, name))
        return told
    return {
        "id": str(row.public_id),
        "by": row.person.get_username(),
        "again_of": str(row.again_of.public_id) if row.again_of else None,
        **{name: getattr(row, name) for name in TEXTS},
        "error_code": row.error_code,
        "output_size": row.output_size,
        "started_at_is_derived": row.started_at_is_derived,
        "options": row.options,
        "options_sent": options_sent(row),
        "metrics": row.metrics,
        "times": {name: time_text(getattr(row, name)) for name in TIMES},
    }


def imported_run(row: FalRequest) -> ImportedRun | None:
    """Return what the file of an imported run said; None of any other request."""
    if row.origin != RequestOrigin.IMPORTED:
        return None
    return ImportedRun.objects.filter(request=row).first()


def options_sent(row: FalRequest) -> dict[str, str]:
    """Return headers and query parameters as they were sent; no header with a key is among them."""
    options = platform_options(row.options)
    try:
        return build_headers(options) | build_query(options)
    except InvalidHeader:  # stored before a rule became stricter
        return {}


def time_text(at: datetime | None) -> str | None:
    """Return a time as it is written."""
    return at.isoformat() if at else None

"""Build the template context of the request page from a row and its observations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from requests_app.copies.address import addressed
from requests_app.display.explain import explain
from requests_app.display.imported import imported_from
from requests_app.display.json_preview import Preview, is_text, preview, preview_typed
from requests_app.display.media import Medium, find_media
from requests_app.display.output_download import output_for_page
from requests_app.display.output_media import medium_of
from requests_app.display.output_text import OutputText, text_of
from requests_app.display.stream_output import output_of_stream
from requests_app.display.timeline import known_by, steps
from requests_app.display.usual_times import expected
from requests_app.error_groups.shelf import group_of_row
from requests_app.fal.headers import (
    InvalidHeader,
    build_headers,
    build_query,
    platform_options,
)
from requests_app.fal.webhook_encoding import Unpackable, unpacked
from requests_app.forms.submit import new_token
from requests_app.lifecycle import CANCEL_NOTES, can_reread
from requests_app.models import (
    BatchItem,
    Delivery,
    FalDeletion,
    FalRequest,
    LogLine,
    Mode,
    Observation,
    Status,
)
from requests_app.models.request import FAILING_FROM
from requests_app.templatetags.requests_extras import duration
from requests_app.views.hidden_page import TEMPLATE as HIDDEN_TEMPLATE
from requests_app.views.hidden_page import hidden_page

INPUT_LIMIT = 48 * 1024  # characters of the escaped text
RAW_LIMIT = 16 * 1024
NEWEST_OBSERVATIONS = 300
MOST_REPEATS = 5
NEWEST_DELIVERIES = 50
LINES_AT_ONCE = 500
RECORDED = (Mode.STREAM, Mode.REALTIME)  # as a sequence of frames
RESULT, PEEK = PLACES = ("result", "peek")  # inside another page: beside the form, beside the list
TEMPLATE = "request/_page.html"
WAITS = ("not_sent", "postponed")  # the end of an attempt that is retried
TABS = {
    "logs": "Logs",
    "events": "Events",
    "webhooks": "Webhooks",
    "raw": "Raw",
}
RESULT_TABS = {
    "logs": "Logs",
    "timeline": "Timeline",
    **TABS,
}  # beside the form there is no column for it


@dataclass(frozen=True)
class ObservedChange:
    """One observation for the Events tab."""

    observation: Observation
    words: str
    known_by: str
    data: str


def whole(row: FalRequest, *, may_act: bool, tab: str = "", place: str = "") -> dict[str, Any]:
    """Return the page with its `template`: that of a hidden request is another one, made of the row alone."""
    if row.is_hidden:
        shown, template = hidden_page(row, may_act=may_act, place=place), HIDDEN_TEMPLATE
    else:
        shown, template = page(row, may_act=may_act, tab=tab, place=place), TEMPLATE
    return {**shown, "template": template}


def page(row: FalRequest, *, may_act: bool, tab: str = "", place: str = "") -> dict[str, Any]:
    """Return the context of the whole page, or of what stands in one of PLACES."""
    lines = newest_lines(row)
    return {
        **live(row, may_act=may_act, place=place),
        "tabs": RESULT_TABS if place == RESULT else TABS,
        "open_tab": tab if tab in TABS else default_tab(row),
        "input": preview_typed(row.input_text, limit=INPUT_LIMIT),
        "input_size": len(row.input_text.encode()),
        "options_json": json.dumps(row.options),
        "run_url": settings.FAL_RUN_URL,
        "queue_url": settings.FAL_QUEUE_URL,
        "lines": lines,
        "lines_left_out": len(lines) == LINES_AT_ONCE,
        "frames_known": _last_frame(row) if row.mode in RECORDED else 0,
        "token": new_token(),
    }


def live(row: FalRequest, *, may_act: bool, place: str = "") -> dict[str, Any]:
    """Return the context of the parts that change while the request runs."""
    heard = _observations(row)
    not_sent = _not_sent(row, heard)
    record_full = row.observations.filter(kind="capped").first()
    return {
        "row": row,
        "place": place,
        "is_result": place == RESULT,
        "is_peek": place == PEEK,
        "expected": expected(row),
        "progress_version": _progress_version(row, not_sent),
        "may_act": may_act,
        "may_reread": may_act and can_reread(row),
        "may_copy": row.mode != Mode.REALTIME and row.payload_removed_at is None,
        "is_stream": row.mode == Mode.STREAM,
        "is_session": row.mode == Mode.REALTIME,
        "is_recorded": row.mode in RECORDED,
        "cancel_note": _cancel_note(row),
        "trouble": _trouble(row, heard),
        "error_group": group_of_row(row, timezone.now()),
        "batch_item": _batch_item(row),
        "imported": imported_from(row),
        "repeats": row.repeats.order_by("id").only("public_id")[:MOST_REPEATS],
        "steps": steps(row, heard),
        "metrics": _facts(row.metrics),
        "options_sent": _options_sent(row),
        "heard": [_heard(observation) for observation in reversed(heard)],
        "deliveries": _deliveries(row),
        "record_full": record_full,
        "run_timeout_s": settings.RUN_TIMEOUT_S,
        "output_version": _output_version(row, not_sent),
        "not_sent": not_sent,
        **_removal(row, heard),
        "evidence": [seen for seen in heard if seen.note][-5:],
        **_output(row, heard, is_full=record_full is not None),
    }


def _removal(row: FalRequest, heard: list[Observation]) -> dict[str, Any]:
    """Say who removed input and output, and what became of them at fal."""
    if row.payload_removed_at is None:
        return {"removed_note": "", "fal_deletion": None}
    removals = [seen.note for seen in heard if seen.kind == "removed"]
    known = FalDeletion.objects.filter(team=row.team_id, public_id=row.public_id)
    return {"removed_note": removals[-1] if removals else "", "fal_deletion": known.first()}


def _batch_item(row: FalRequest) -> BatchItem | None:
    """Return the batch's row that this is the newest request of."""
    items = BatchItem.objects.filter(request=row).select_related("batch__preset")
    return items.only(
        "number", "batch__public_id", "batch__name", "batch__preset_version",
        "batch__preset__public_id", "batch__preset__name",
    ).first()  # fmt: skip


def _progress_version(row: FalRequest, not_sent: str) -> str:
    """Version key of the part that says where it is; a log line does not change it."""
    at = (row.status, row.queue_position, row.started_at, row.is_cancelling, bool(not_sent))
    return "-".join(map(str, at))


def _output_version(row: FalRequest, not_sent: str) -> str:
    """Version key of the output part; changes whenever its HTML would."""
    told_since = f"{row.seq} {row.due_at}" if row.is_lost or row.status == Status.FAILED else ""
    removed = f"{row.payload_removed_at} {row.seq}" if row.payload_removed_at else ""
    return f"{row.status}-{row.output_size}-{row.ended_at or not_sent}-{told_since}-{removed}"


def _trouble(row: FalRequest, heard: list[Observation]) -> str:
    """Say why the request does not go on, once its last steps have all failed."""
    if row.tries < FAILING_FROM or row.is_ended:
        return ""
    return next((seen.note for seen in reversed(heard) if seen.kind == "unanswered"), "")


def _not_sent(row: FalRequest, heard: list[Observation]) -> str:
    """Say why a row still waits to be sent: the sentence of the last attempt."""
    if row.status != Status.PENDING or not row.tries:
        return ""
    return next((seen.note for seen in reversed(heard) if seen.kind in WAITS), "")


def default_tab(row: FalRequest) -> str:
    """Choose the tab with the news beside input and output: logs, where fal gives some."""
    return "logs" if row.mode == Mode.QUEUE else "events"


def newest_lines(row: FalRequest) -> list[LogLine]:
    """Return the newest log lines, oldest first."""
    return list(LogLine.objects.filter(request=row).order_by("-id")[:LINES_AT_ONCE])[::-1]


def _last_frame(row: FalRequest) -> int:
    newest = row.frames.order_by("-number").values_list("number", flat=True).first()
    return newest or 0


def _observations(row: FalRequest) -> list[Observation]:
    return list(row.observations.order_by("-id")[:NEWEST_OBSERVATIONS])[::-1]


def _heard(observation: Observation) -> ObservedChange:
    added = observation.data.get("added") if observation.kind == "logs" else None
    if added:
        words, data = f"{added} more log line{'' if added == 1 else 's'}", ""
    else:
        words = observation.note or Status(observation.status).label
        data = json.dumps(observation.data, ensure_ascii=False) if observation.data else ""
    return ObservedChange(observation, words, known_by(observation.source), data[:RAW_LIMIT])


def _output(row: FalRequest, heard: list[Observation], *, is_full: bool) -> dict[str, Any]:
    body = output_for_page(row) if row.output_size else b""
    itself = medium_of(row, body)
    readable = itself is None and is_text(body)
    shown = preview(body) if body and readable else None
    explanation = explain(row, body, heard)
    return {
        "explanation": explanation,
        "looks_in_s": _seconds_until(explanation.looks_at if explanation else None),
        "output": shown,
        "output_is_binary": bool(body) and not readable,
        "stream_output": output_of_stream(row, body, is_full=is_full),
        "media": [itself] if itself else _media(row, shown),
        "output_text": _words(row, shown),
        "raw_head": preview_raw(body) if readable else "",
        "raw_is_cut": row.output_size > RAW_LIMIT,
    }


def _words(row: FalRequest, shown: Preview | None) -> OutputText | None:
    """Return the answer of a model of words; a stream's stands in its merged view already."""
    if shown is None or row.mode in RECORDED or row.status != Status.COMPLETED:
        return None
    return text_of(shown.value)


def _media(row: FalRequest, shown: Preview | None) -> list[Medium]:
    found = find_media(shown.value, settings.FAL_MEDIA_HOSTS) if shown else []
    return addressed(row, found, timezone.now())


def _seconds_until(moment: datetime | None) -> float | None:
    """Return seconds for the page's timer: a duration does not depend on the browser's clock."""
    if moment is None:
        return None
    return max(0.0, (moment - timezone.now()).total_seconds())


def preview_raw(body: bytes) -> str:
    """Return the first bytes exactly as fal sent them."""
    return body[:RAW_LIMIT].decode("utf-8", "replace").replace("\0", "�")


def _facts(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name[:80].replace("_", " "), _fact(name, value)) for name, value in values.items()][
        :30
    ]


def _fact(name: str, value: Any) -> str:
    if isinstance(value, float | int) and not isinstance(value, bool) and name.endswith("_time"):
        return duration(value)
    return value[:200] if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:200]


def _options_sent(row: FalRequest) -> dict[str, str]:
    """Return headers and query parameters as they were sent."""
    options = platform_options(row.options)
    try:
        return build_headers(options) | build_query(options)
    except InvalidHeader:  # stored before a rule became stricter
        return {}


def _cancel_note(row: FalRequest) -> str:
    """Say what is known about a cancel: fal's real answer, never a guess."""
    if row.cancel_asked_at is None:
        return ""
    if row.status == Status.CANCELLED:
        return ""
    answer = CANCEL_NOTES.get(
        row.cancel_answer, "fal's answer was unclear." if row.cancel_answer else ""
    )
    if row.is_ended:
        return (
            f"Cancelling was asked for, but it {row.get_status_display()} first. {answer}".strip()
        )
    if row.mode != Mode.QUEUE:
        return "We hang up; fal then stops the work."
    return (
        f"{answer or 'Asked fal to cancel; no answer yet.'} It shows as cancelled when fal says so."
    )


def _deliveries(row: FalRequest) -> list[dict[str, Any]]:
    newest = row.deliveries.order_by("-id")[:NEWEST_DELIVERIES]
    return [
        {"delivery": delivery, "body": preview_raw(_plain_body(delivery)[:4096])}
        for delivery in newest
    ]


def _plain_body(delivery: Delivery) -> bytes:
    """Unpack a compressed body; return one that cannot be unpacked unchanged."""
    body = bytes(delivery.body)
    try:
        return unpacked(
            body, delivery.headers.get("content-encoding", ""), settings.BODY_LIMIT_BYTES
        )
    except Unpackable:
        return body

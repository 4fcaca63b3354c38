"""How an export is displayed."""

from __future__ import annotations

from django import template

from requests_app.models import Export, ExportState
from requests_app.templatetags.requests_extras import StatusLook

register = template.Library()

_STATES = {
    ExportState.RUNNING: StatusLook(
        "in_progress", "spinner", "running", "A worker writes its file."
    ),
    ExportState.FINISHED: StatusLook(
        "completed", "check", "finished", "Its file can be downloaded."
    ),
    ExportState.STOPPED: StatusLook("cancelled", "slash", "stopped", "A member stopped it."),
    ExportState.FAILED: StatusLook("failed", "cross", "failed", "Its file could not be written."),
    ExportState.GONE: StatusLook("pending", "outline", "gone", "Its file is no longer there."),
}
_WAITS = StatusLook("in_queue", "clock", "waiting", "A worker will write it in its turn.")


@register.filter
def export_look(export: Export) -> StatusLook:
    """Return how the state of an export looks."""
    state = ExportState(export.state)
    is_waiting = state == ExportState.RUNNING and export.lease is None and not export.done
    return _WAITS if is_waiting else _STATES[state]

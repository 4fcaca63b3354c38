"""The page in the zip that shows the run: no script, no request but for files beside it, all of it escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from requests_app.display.json_preview import is_text, preview, preview_typed
from requests_app.display.output_download import output_for_page
from requests_app.display.timeline import known_by, steps
from requests_app.models import FalRequest, LogLine, Observation
from requests_app.runfile import tables
from requests_app.runfile.facts import options_sent
from requests_app.runfile.media import MediaNote

TEXT_LIMIT = 256 * 1024  # characters of input and output
MOST_ROWS = 500  # of history, logs and frames each; the files beside it have all
_STYLES = ("css/lib/tokens.css", "css/lib/base.css", "css/runfile/viewer.css")


@cache
def _style() -> str:
    texts = [(settings.BASE_DIR / "static" / name).read_text() for name in _STYLES]
    return "".join(texts)


def _policy(style: str) -> str:
    """Return the page's own policy: this style sheet, and pictures and players from beside it."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    files = "'self' file:"
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src {files}; media-src {files}; "
        "base-uri 'none'; form-action 'none'"
    )


def page_of(
    row: FalRequest,
    *,
    output_name: str,
    media: Sequence[MediaNote],
    files: Sequence[str],
    notes: list[str],
) -> bytes:
    """Return the page. `notes`: sentences on what is not in the file as it was."""
    heard = list(
        Observation.objects.filter(request=row)
        .exclude(kind=tables.IMPORTED)
        .order_by("pk")[:MOST_ROWS]
    )
    body = output_for_page(row) if row.output_size and not row.payload_removed_at else b""
    style = _style()
    context = {
        "style": format_html("<style>{}</style>", mark_safe(style)),  # noqa: S308  # nosec B308 B703  # our own file
        "policy": _policy(style),
        "row": row,
        "at": _moment(timezone.now()),
        "steps": [_step(step) for step in steps(row, heard)],
        "options": options_sent(row),
        "metrics": row.metrics,
        "input": preview_typed(row.input_text, limit=TEXT_LIMIT) if row.input_text else None,
        "output": preview(body, limit=TEXT_LIMIT) if body and is_text(body) else None,
        "output_name": output_name,
        "media": media,
        "history": [(_moment(one.heard_at), known_by(one.source), one) for one in heard],
        "lines": _first(LogLine.objects.filter(request=row).order_by("pk")),
        "frames": _first(tables.recorded(row)),
        "files": files,
        "notes": notes,
        "most": MOST_ROWS,
    }
    return render_to_string("runfile/index.html", context).encode()


def _first(rows: Iterable[Any]) -> list[Any]:
    return list(islice(rows, MOST_ROWS))


def _step(step: Any) -> dict[str, Any]:
    return {"name": step.name, "at": _moment(step.at), "took": step.took, "known_by": step.known_by}


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else ""

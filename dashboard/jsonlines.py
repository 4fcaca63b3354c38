"""Log lines as JSON objects, one a line, for log collectors. Without secrets."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from dashboard import logcontext
from dashboard.masking import mask


class JsonFormatter(logging.Formatter):
    """time, level, logger, message; where known request_id (HTTP), row (a request to fal), exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line of ASCII: no message can break it."""
        at = datetime.fromtimestamp(record.created, UTC)
        entry = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask(record.getMessage()),
            "request_id": logcontext.http_request.get(),
            "row": logcontext.row.get(),
            "exception": mask(self.formatException(record.exc_info)) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in entry.items() if value not in ("", None)})

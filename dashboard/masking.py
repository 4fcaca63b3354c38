"""Keep secrets that stand in URLs out of every log line."""

from __future__ import annotations

import logging
import re

# The webhook's secret, the setup link's token.
_SECRET = re.compile(r"(/hooks/fal/[^/\s\"']*/|/setup/)[^/?\s\"'>]+")
MASK = "***"


def mask(text: str) -> str:
    """The text with the secret part of our secret-bearing paths replaced."""
    return _SECRET.sub(rf"\g<1>{MASK}", text)


class MaskingFormatter(logging.Formatter):
    """Masks the finished line, so that arguments and tracebacks are covered as well."""

    def format(self, record: logging.LogRecord) -> str:
        """One line (and its traceback) without secrets."""
        return mask(super().format(record))

"""One line for a Redis that is away, where channels_redis logs a traceback a second in each process."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError

AWAY = (OSError, RedisError)


class AwayInOneLine(logging.Filter):
    """Turns the traceback of a lost connection into a warning; other errors stay as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, AWAY):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.msg, record.args = "Live updates wait for Redis: %s", (error,)
            record.exc_info = record.exc_text = None
        return True

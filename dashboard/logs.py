"""The setting LOGGING: what processes print, in lines or as JSON, with secrets masked."""

from __future__ import annotations

from typing import Any

from dashboard.env import env_choice

_LEVEL = env_choice("LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
_FORMAT = env_choice("LOG_FORMAT", "TEXT", ("TEXT", "JSON"))
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "dashboard.masking.MaskingFormatter",
            "fmt": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "dashboard.jsonlines.JsonFormatter"},
    },
    "filters": {
        "redis_away": {"()": "dashboard.redis_log.AwayInOneLine"},
        "one_line": {"()": "dashboard.logcontext.InOneLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if _FORMAT == "JSON" else "line",
        }
    },
    "root": {"handlers": ["console"], "level": _LEVEL},
    "loggers": {
        "requests_app": {"level": "INFO"},
        "dashboard": {"level": "INFO"},
        # Both print whole URLs, which carry the webhook secret.
        "httpx": {"level": "WARNING"},
        "daphne.server": {"level": "WARNING"},
        "channels_redis.pubsub": {"filters": ["redis_away"]},
        "django.security.DisallowedHost": {"filters": ["one_line"]},
    },
}

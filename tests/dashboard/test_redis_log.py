"""A lost connection to Redis is one line; what else goes wrong keeps its traceback."""

from __future__ import annotations

import logging

import pytest
from redis.exceptions import ConnectionError as NoRedis

logger = logging.getLogger("channels_redis.pubsub")


def log(error: Exception) -> None:
    """As the receiver of the channel layer does."""
    try:
        raise error
    except Exception:
        logger.exception("Unexpected exception in receive task")


@pytest.mark.parametrize("error", [NoRedis("Connection closed."), ConnectionResetError("reset")])
def test_a_redis_that_is_away_is_one_warning(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    log(error)
    [record] = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert record.getMessage() == f"Live updates wait for Redis: {error}"


def test_another_error_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    log(ValueError("not a message"))
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info

"""Two teams with one of everything, in a database that other threads see too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.isolation.estate import Estate
from tests.worker.conftest import loop as loop


@pytest.fixture
def _place(settings: Any, tmp_path: Any) -> Iterator[None]:
    """Files in a folder of the test's own, no key, and no line of the log for each refusal."""
    settings.DATA_DIR = tmp_path
    local = {"BACKEND": "requests_app.copies.local.LocalStore", "OPTIONS": {"location": tmp_path / "copies"}}  # fmt: skip
    settings.STORAGES = {**settings.STORAGES, "copies": local}
    settings.PAGES_PER_MINUTE = settings.API_CALLS_PER_MINUTE = 10**9
    for name in ("FAL_API_URL", "FAL_REST_URL", "FAL_QUEUE_URL", "FAL_RUN_URL"):
        setattr(settings, name, "http://127.0.0.1:9")  # where nothing listens
    settings.FAL_OPENAPI_URL = "http://127.0.0.1:9/{endpoint_id}"
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def home(transactional_db: None, loop: Any, _place: None) -> Estate:
    """The team that is to be kept to itself. No step of a worker outlives the test, whose tables are emptied."""
    return Estate("homeword", 7)


@pytest.fixture
def rival(home: Estate) -> Estate:
    """Another team with the same."""
    return Estate("rivalword", 8)

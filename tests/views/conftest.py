"""What the tests of the pages share."""

from __future__ import annotations

import pytest

from requests_app.models import FalRequest


@pytest.fixture
def row(queued: FalRequest) -> FalRequest:
    """The request that most pages are about: in fal's queue."""
    return queued

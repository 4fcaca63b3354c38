"""What the tests of the record share."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from requests_app.models import FalRequest, Team
from tests.builders import make_request


@pytest.fixture
def row(team: Team, owner: User) -> FalRequest:
    """A stream that has not begun."""
    return make_request(team=team, person=owner, mode="stream")

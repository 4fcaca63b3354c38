"""Stories use the sockets of the consumers' tests."""

from __future__ import annotations

from tests.consumers.conftest import fal as fal
from tests.consumers.conftest import page as page

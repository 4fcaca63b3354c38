"""Stories use the sockets of the consumers' tests, and the worker loop's peer."""

from __future__ import annotations

from tests.consumers.conftest import fal as fal
from tests.consumers.conftest import page as page
from tests.worker.conftest import loop as loop
from tests.worker.conftest import peer as peer
from tests.worker.conftest import queued as queued
from tests.worker.conftest import until as until

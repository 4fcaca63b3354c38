"""The settings of an installation that was given FAL_RUN_URL and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from requests_app.models import FalRequest, Team
from tests.builders import make_request
from tests.consumers.conftest import page  # noqa: F401  (a fixture)
from tests.fal_app.serving import ENDPOINT_ID, FalApp
from tests.worker.conftest import loop, until  # noqa: F401  (fixtures)


@pytest.fixture(scope="session")
def fal_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FalApp]:
    """One app for all tests of the run."""
    app = FalApp(tmp_path_factory.mktemp("fal_app"))
    app.start()
    yield app
    app.stop()


@pytest.fixture
def at_fal_app(fal_app: FalApp, settings: Any) -> FalApp:
    """No key, no sandbox; everything but run, stream and realtime leads nowhere."""
    settings.SANDBOX, settings.FAL_KEY, settings.PUBLIC_URL = False, "", ""
    settings.FAL_RUN_URL = fal_app.url
    settings.FAL_REALTIME_URL = fal_app.url.replace("http", "ws", 1)
    settings.FAL_QUEUE_URL = settings.FAL_REST_URL = "http://127.0.0.1:1"
    settings.FAL_API_URL = "http://127.0.0.1:1"
    return fal_app


@pytest.fixture
def ask(at_fal_app: FalApp, team: Team, owner: User) -> Callable[..., FalRequest]:
    """A new row for the app, or for a path below it."""

    def make(mode: str, path: str = "", **values: Any) -> FalRequest:
        return make_request(
            team=team, person=owner, endpoint_id=ENDPOINT_ID + path, mode=mode, input=values
        )

    return make

"""One client for each set of addresses and key."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.keys import environment_key
from requests_app.worker.loop import LoopThread, connections

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_client_serves_one_set_of_hosts_and_key(loop: LoopThread, settings: Any) -> None:
    async def client() -> Any:
        return connections.client(environment_key())

    settings.FAL_KEY = "one:key"
    first, same = loop.run(client()), loop.run(client())
    settings.FAL_KEY = "another:key"
    other = loop.run(client())
    assert first is same
    assert other is not first

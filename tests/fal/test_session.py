from __future__ import annotations

import logging
import traceback

import pytest

from requests_app.fal import FalClient, FalError, Hosts, NotSent, RequestUrls

from .conftest import KEY, QUICK, hosts_at
from .peer import Peer, html, reset


async def test_the_key_shows_in_no_repr(fal: FalClient) -> None:
    assert "secret" not in repr(fal)
    assert "secret" not in repr(fal._wire)


@pytest.mark.parametrize("step", [reset, html(502)], ids=["reset", "page"])
async def test_the_key_shows_in_no_error_and_no_log(
    peer: Peer, fal: FalClient, urls: RequestUrls, step: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    peer.will(step, step)  # type: ignore[arg-type]
    with pytest.raises(FalError) as caught:
        await fal.result(urls)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "secret" not in told


@pytest.mark.parametrize("key", ["a:b\r\nX: y", "a b", "schlüssel", "a\0b"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="key") as caught:
        FalClient(Hosts.fal(), key)
    assert key not in str(caught.value)


async def test_leaving_the_context_closes_the_connections(peer: Peer, urls: RequestUrls) -> None:
    async with FalClient(hosts_at(peer.url), KEY, timeouts=QUICK) as fal:
        pass
    with pytest.raises(NotSent):
        await fal.status(urls)

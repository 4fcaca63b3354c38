"""A socket is opened only from a page of this very site."""

from __future__ import annotations

from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from dashboard.asgi import application
from dashboard.origin import is_same_origin

HOST = "dash.example"


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [HOST, "other.example", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = []


def scope(*origins: str, host: str = HOST, scheme: str = "wss") -> dict[str, Any]:
    headers = [(b"host", host.encode("latin1"))]
    headers += [(b"origin", origin.encode("latin1")) for origin in origins]
    return {"type": "websocket", "scheme": scheme, "path": "/ws/", "headers": headers}


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        (f"https://{HOST}", HOST, "wss"),
        (f"http://{HOST}", HOST, "ws"),
        (f"http://{HOST}:8000", f"{HOST}:8000", "ws"),
        ("http://[::1]:8000", "[::1]:8000", "ws"),
    ],
)
def test_the_sites_own_pages_are_let_in(origin: str, host: str, scheme: str) -> None:
    assert is_same_origin(scope(origin, host=host, scheme=scheme))


def test_on_a_certificate_of_our_own_the_page_is_https_though_the_handshake_tells_no_scheme(
    settings: Any,
) -> None:
    settings.LOCAL_TLS = object()
    handshake = scope(f"https://{HOST}")
    del handshake["scheme"]
    assert is_same_origin(handshake)
    assert not is_same_origin(scope(f"http://{HOST}", scheme=""))


OTHERS = [
    (), ("null",), ("",), ("https://evil.example",), (f"https://{HOST}.evil.example",),
    (f"https://evil{HOST}",), (f"https://evil.example/{HOST}",), (f"http://{HOST}",),
    (f"https://{HOST}:444",), (f"https://{HOST}:443",), (f"HTTPS://{HOST}",),
    (f"https://{HOST.upper()}",), (f"https://{HOST}/",), (f"https://{HOST}/path",),
    (f"https://{HOST}?x",), (f"https://{HOST}#x",), (f"https://me@{HOST}",),
    ("https://other.example",), (f"https://{HOST}", f"https://{HOST}"),
    (f"https://{HOST}", "https://evil.example"), ("https://da\tsh.example",),
    (f" https://{HOST}",), (f"https://{HOST}.",), ("https://[",), ("https://[::1",),
    (f"wss://{HOST}",), (HOST,), (f"//{HOST}",), (f"https://{HOST}\xa0",), ("file://",),
]  # fmt: skip


@pytest.mark.parametrize("origins", OTHERS)
def test_every_other_origin_is_refused(origins: tuple[str, ...]) -> None:
    assert not is_same_origin(scope(*origins))


@pytest.mark.parametrize(
    "host", ["evil.example", "", "dash.example:x", "dash.example@evil.example"]
)
def test_a_host_that_is_not_ours_is_refused(host: str) -> None:
    assert not is_same_origin(scope(f"https://{host}", host=host))


def test_a_handshake_with_two_hosts_or_none_is_refused() -> None:
    two = scope(f"https://{HOST}")
    two["headers"].append((b"host", HOST.encode()))
    none = scope(f"https://{HOST}")
    none["headers"].pop(0)
    assert not is_same_origin(two)
    assert not is_same_origin(none)


def test_behind_a_proxy_that_ends_tls_the_public_url_is_let_in(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = [f"https://{HOST}"]
    assert is_same_origin(scope(f"https://{HOST}", scheme="ws"))
    assert not is_same_origin(scope("https://other.example", scheme="ws"))


@pytest.mark.django_db  # Channels looks after this thread's connections at the end
@pytest.mark.parametrize("origins", [(), ("https://evil.example",), ("https://[",)])
async def test_the_application_refuses_the_handshake(origins: tuple[str, ...]) -> None:
    headers = scope(*origins)["headers"]
    socket = WebsocketCommunicator(application, "/ws/", headers=headers)
    accepted, _ = await socket.connect(timeout=30)
    assert not accepted
    await socket.disconnect(timeout=30)

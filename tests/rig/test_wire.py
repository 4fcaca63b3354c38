"""The wire leads there, breaks for everybody at once, and leads there again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.rig.wire import Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    """To a server that gives back what it is sent."""
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=[server], daemon=True).start()
    one = Wire(server.getsockname()[1])
    one.open()
    yield one
    one.close()
    server.close()


def serve(server: socket.socket) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=echo, args=[client], daemon=True).start()


def echo(client: socket.socket) -> None:
    with client:
        while piece := client.recv(1024):
            client.sendall(piece)


def said(client: socket.socket, word: bytes) -> bytes:
    client.sendall(word)
    return client.recv(1024)


def connected(wire: Wire) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=30)


def test_it_leads_there(wire: Wire) -> None:
    with connected(wire) as one, connected(wire) as other:
        assert said(one, b"a") == b"a"
        assert said(other, b"b") == b"b"


def test_a_cut_breaks_who_is_connected_and_refuses_who_comes(wire: Wire) -> None:
    with connected(wire) as client:
        assert said(client, b"a") == b"a"
        wire.cut()
        with pytest.raises(ConnectionError):
            assert said(client, b"b") == b""
            raise ConnectionResetError  # an end is as good as a reset
    with pytest.raises(ConnectionRefusedError):
        connected(wire)


def test_mended_it_leads_there_again(wire: Wire) -> None:
    wire.cut()
    wire.mend()
    with connected(wire) as client:
        assert said(client, b"a") == b"a"


def test_a_cut_breaks_connections_that_are_still_being_made(wire: Wire) -> None:
    for _ in range(20):
        clients = [connected(wire) for _ in range(20)]
        wire.cut()
        for client in clients:
            with client, pytest.raises(ConnectionError):
                assert said(client, b"a") == b""
                raise ConnectionResetError  # an end is as good as a reset
        wire.mend()

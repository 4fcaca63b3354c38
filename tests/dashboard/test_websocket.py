"""What the short ways must not change: every message whole, and bad UTF-8 refused."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from dashboard.websocket import LeanWebSocket, Mask
from tests.dashboard.served import Served


@pytest.fixture
def client(shared: Served) -> Iterator[ClientConnection]:
    address = f"ws://127.0.0.1:{shared.port}/echo"
    with connect(address, origin="http://127.0.0.1", compression=None, max_size=None) as socket:
        yield socket


def xor(data: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


@pytest.mark.parametrize("seed", range(20))
def test_a_frame_that_comes_in_pieces_is_unmasked_as_a_whole(seed: int) -> None:
    choice = random.Random(seed)
    data, mask = choice.randbytes(choice.randrange(1, 200)), choice.randbytes(4)
    masker, done, out = Mask(mask, len(data)), 0, b""
    while done < len(data):
        piece = data[done : done + choice.randrange(0, 9)]
        out += masker.process(piece)
        done += len(piece)
        assert masker.pointer() == done
    assert out == xor(data, mask)
    masker.reset()
    assert masker.process(out) == data


@pytest.mark.process
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65_535, 65_536, 900_000])
def test_bytes_of_any_size_arrive_as_they_were_sent(client: ClientConnection, size: int) -> None:
    client.send(message := os.urandom(size) + b"!")
    assert client.recv() == message


@pytest.mark.process
def test_text_arrives_also_when_a_character_is_cut_in_two(client: ClientConnection) -> None:
    text = "a\u00fc\u20ac\U0001f600\u2028\0z"
    client.send(text)
    assert client.recv() == text
    client.send([text, "more"])
    assert client.recv() == text + "more"
    whole = "\u20ac".encode()
    with client.send_context():
        client.protocol.send_text(whole[:1], fin=False)
        client.protocol.send_continuation(whole[1:], fin=True)
    assert client.recv() == "\u20ac"


class Ended(LeanWebSocket):
    """A socket at the end of a message; `seen` says what became of it."""

    failedByMe = False

    def __init__(self, *pieces: bytes, is_binary: bool) -> None:
        self.message_data, self.message_is_binary = list(pieces), is_binary
        self.seen: list[object] = []
        self.onMessageEnd()

    def _onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.seen.append(payload)

    def _invalid_payload(self, reason: str) -> bool:
        self.seen.append(reason)
        return True


def test_text_that_is_not_utf_8_is_a_fault_and_reaches_nobody() -> None:
    assert Ended(b"good \xe2", b"\x82\xac", is_binary=False).seen == ["good \u20ac".encode()]
    assert Ended(b"bad \xff", is_binary=False).seen == ["A text message is not UTF-8."]
    assert Ended(b"bad \xff", is_binary=True).seen == [b"bad \xff"]


@pytest.mark.process
def test_text_that_is_not_utf_8_ends_the_socket(client: ClientConnection) -> None:
    with client.send_context():
        client.protocol.send_text(b"good \xff bad")
    with pytest.raises(ConnectionClosedError):
        client.recv()

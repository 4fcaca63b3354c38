"""The websocket: msgpack both ways, control messages as text, tokens, buffering and the idle end."""

from __future__ import annotations

import json
import time

import msgpack
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.sandbox.calls import KEY

PATH = "/run/sandbox/echo/realtime"


@pytest.fixture
def address(sandbox) -> str:
    return sandbox.url.replace("http", "ws", 1) + PATH


def ask(socket: ClientConnection, **message: object) -> dict:
    socket.send(msgpack.packb(message))
    return answer(socket)


def answer(socket: ClientConnection) -> dict:
    frame = socket.recv(timeout=30)
    assert isinstance(frame, bytes), frame
    return msgpack.unpackb(frame)


def control(socket: ClientConnection) -> dict:
    frame = socket.recv(timeout=30)
    assert isinstance(frame, str), frame
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=30)
    return json.loads(frame) | {"close_code": socket.close_code}


def token(http, **body: object) -> str:
    reply = http.post("/rest/tokens/", json={"allowed_apps": ["echo"], **body})
    assert reply.status_code in (200, 201)
    return reply.json()


def test_numbers_and_bytes_come_back_and_bad_ones_are_not_confused(address):
    with connect(address, additional_headers=KEY) as socket:
        assert ask(socket, number=2.5, image=b"\x00\xff", request_id="a") == {
            "number": 2.5, "image": b"\x00\xff", "request_id": "a", "doubled": 5.0, "index": 0,
        }  # fmt: skip
        assert ask(socket, number=1)["doubled"] == 2


def test_one_input_can_have_many_outputs(address):
    with connect(address, additional_headers=KEY) as socket:
        indexes = [ask(socket, outputs=3)["index"], *(answer(socket)["index"] for _ in range(2))]
    assert indexes == [0, 1, 2]


def test_an_idle_socket_ends_with_timeout_and_code_1000(address):
    with connect(address, additional_headers=KEY) as socket:
        ask(socket, message="only one")
        assert control(socket) == {
            "type": "x-fal-error", "error": "TIMEOUT",
            "reason": "no inputs, reconnect when needed!", "close_code": 1000,
        }  # fmt: skip


def test_an_exception_of_the_model_is_told_and_ends_the_socket(address):
    with connect(address, additional_headers=KEY) as socket:
        socket.send(msgpack.packb({"error": "on purpose"}))
        told = control(socket)
    assert (told["error"], told["reason"], told["close_code"]) == (
        "INTERNAL_ERROR", "on purpose", 1000,
    )  # fmt: skip


@pytest.mark.parametrize(
    "frame", ['{"a":1}', b'{"a":1}', msgpack.packb([1]), msgpack.packb({"number": "x"})]
)
def test_what_is_no_message_ends_the_socket_with_an_error(address, frame):
    with connect(address, additional_headers=KEY) as socket:
        socket.send(frame)
        assert control(socket)["error"] == "INTERNAL_ERROR"


@pytest.mark.slow
def test_a_full_buffer_drops_the_oldest_inputs(address):
    with connect(f"{address}?max_buffering=1", additional_headers=KEY) as socket:
        socket.send(msgpack.packb({"number": 0, "delay_s": 0.3, "outputs": 2}))
        assert answer(socket)["number"] == 0  # the model has taken it and is busy
        for number in range(1, 6):
            socket.send(msgpack.packb({"number": number}))
        numbers = [answer(socket)["number"] for _ in range(2)]
        assert control(socket)["error"] == "TIMEOUT"
    assert numbers == [0, 5]


def test_old_and_new_tokens_open_the_socket(http, address):
    new = http.post(
        "/rest/tokens/realtime", json={"allowed_apps": ["sandbox/echo/realtime"], "duration": 60}
    )
    for text in (token(http, token_expiration=120), new.json()["token"]):
        with connect(f"{address}?fal_jwt_token={text}") as socket:
            assert ask(socket, number=1)["doubled"] == 2


def test_no_token_a_forged_one_and_one_for_another_app_are_refused_with_403(http, address):
    forged = token(http)[:-4] + "AAAA"
    other = token(http, allowed_apps=["another"])
    for query in ("", f"?fal_jwt_token={forged}", f"?fal_jwt_token={other}", "?fal_jwt_token=x"):
        with pytest.raises(InvalidStatus) as caught, connect(address + query):
            pass
        assert caught.value.response.status_code == 403


def test_an_expired_token_is_told_unauthorized(http, address):
    text = token(http, token_expiration=0.001)
    time.sleep(0.05)
    with connect(f"{address}?fal_jwt_token={text}") as socket:
        told = control(socket)
    assert (told["status"], told["error"]) == ("error", "Unauthorized")


def test_an_endpoint_without_realtime_refuses_the_handshake(sandbox):
    url = sandbox.url.replace("http", "ws", 1) + "/run/sandbox/text/realtime"
    with pytest.raises(InvalidStatus), connect(url, additional_headers=KEY):
        pass


@pytest.mark.parametrize(
    "body", [{}, {"allowed_apps": []}, {"allowed_apps": "echo"}, [],
             {"allowed_apps": ["echo"], "token_expiration": -1}],
)  # fmt: skip
def test_a_bad_token_request_is_422(http, body):
    assert http.post("/rest/tokens/", json=body).status_code == 422

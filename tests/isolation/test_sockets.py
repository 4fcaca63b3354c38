"""Every message of a page to a socket by caller, about a foreign, a missing and an own object."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async

from requests_app.consumers import live, realtime
from requests_app.consumers.rights import LOGGED_OUT, NO_TEAM
from requests_app.routing import (
    http_prefixes,
    over_the_site,
    socket_prefixes,
    websocket_urlpatterns,
)
from tests.consumers.conftest import Open, Socket
from tests.consumers.conftest import page as page
from tests.isolation.estate import Estate, missing
from tests.isolation.people import Caller, people
from tests.isolation.rights import MESSAGES, Needs

FENCE = {"type": "a message of no kind"}  # answered with an error, after all before it


def test_every_message_stands_in_the_table() -> None:
    assert set(MESSAGES["ws/"]) == set(live.TYPES)
    assert set(MESSAGES["ws/realtime/"]) == set(realtime.KNOWN)
    assert set(MESSAGES) == {str(one.pattern) for one in websocket_urlpatterns}
    past_django = "a way past Django has its own gate: a probe in this folder, and its name here"
    assert set(http_prefixes) == {"/gateway/"}, past_django
    assert set(over_the_site) == {"/mcp"}, past_django  # its calls are those of the API
    assert set(socket_prefixes) == {"/gateway/", "/api/v1/realtime/"}, past_django


def messages(path: str, kind: str, of: Estate | None) -> list[dict[str, Any]]:
    """The message, in each of its forms, about the team's objects or missing ones."""
    row = str(of.live.public_id if of else missing("live"))
    team = str(of.team.pk if of else missing("pk"))
    forms: dict[str, list[dict[str, Any]]] = {
        "watch": [
            {"table": True, "made_for": team, "since": 0, "html": True}, {"request": row},
            {"request": row, "after": 0}, {"rows": [row]},
        ],
        "unwatch": [{"request": row}],
        "since": [{"seq": 0}],
        "connect": [{"endpoint": "acme/live", "made_for": team}],
        "send": [{"value": {"prompt": "x"}}],
        "ack": [{"number": 1}],
        "disconnect": [{}],
    }  # fmt: skip
    return [{"type": kind, **form} for form in forms[kind]]


async def answers(socket: Socket, message: dict[str, Any]) -> list[str]:
    """All that comes of a message: texts, or the code of the close."""
    got: list[str] = []
    await socket.send_to(text_data=json.dumps(message))
    await socket.send_to(text_data=json.dumps(FENCE))
    while True:
        event = await socket.receive_output(timeout=30)
        if event["type"] == "websocket.close":
            return [*got, f"closed with {event['code']}"]
        text = event.get("text") or ""
        if "Send a watch message" in text or "Send one of connect" in text:
            return got
        got.append(text)


def is_outside(caller: Caller, home: Estate) -> bool:
    return caller.team != home.team


def may(caller: Caller, needs: Needs, home: Estate) -> bool:
    return not is_outside(caller, home) and caller.reach >= needs


def refuses_session(caller: Caller, needs: Needs, rival: Estate) -> bool:
    """Whether the socket of sessions is closed as soon as it is open."""
    return not caller.sees or (caller.reach < needs and caller.team != rival.team)


def is_closed(caller: Caller, path: str, message: dict[str, Any]) -> bool:
    """Whether it is about payloads, and the caller may not see them: a session, or the page of one request."""
    return not caller.sees and (path == "ws/realtime/" or "request" in message)


@pytest.mark.parametrize("path", MESSAGES)
async def test_sockets_keep_a_team_to_itself(path: str, home: Any, rival: Any, page: Open) -> None:
    callers = await sync_to_async(people)(home, rival)
    before, count = await database_sync_to_async(home.state)(), 0
    for caller in sorted(callers, key=lambda one: may(one, Needs.TEAM, home)):
        if may(caller, Needs.TEAM, home) and before:  # all others have come and gone
            assert await database_sync_to_async(home.state)() == before
            before = {}
        for kind, needs in MESSAGES[path].items():
            if (
                path == "ws/realtime/"
                and kind == "connect"
                and may(caller, needs, home)
                and caller.sees
            ):
                continue  # a session with fal: its own tests have it
            pairs = zip(messages(path, kind, home), messages(path, kind, None), strict=True)
            for message, absent in pairs:
                count += 2
                told = await answers(await page(caller.client, f"/{path}"), message)
                name = f"{caller.name}: {path} {message} is told {told}"
                if caller.reach is Needs.NOTHING:
                    assert told == [f"closed with {LOGGED_OUT}"], name
                elif path == "ws/realtime/" and refuses_session(caller, needs, rival):
                    assert told == [f"closed with {NO_TEAM}"], name
                if not caller.sees:
                    assert not [one for one in home.payloads if one in str(told)], name
                if not may(caller, needs, home):
                    assert not [one for one in home.canaries[:1] if one in str(told)], name
                if is_outside(caller, home):
                    other = await answers(await page(caller.client, f"/{path}"), absent)
                    gone = str(missing("pk"))
                    shown = [text.replace(gone, str(home.team.pk)) for text in other]
                    assert told == shown, f"{name}, about what is missing {other}"
                elif is_closed(caller, path, message):
                    assert "hello" not in str(told), name
                elif kind == "watch" and "rows" not in message:
                    assert "hello" in told[0], name
    print(f"{count} probes of /{path}")

"""The MCP server with MCP's own client, over both transports, at the whole application."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from requests_app.client import mcp_tools
from requests_app.models import ApiToken, FalRequest, RequestOrigin, TokenScope
from tests.api.conftest import Caller
from tests.api.test_realtime import site as site
from tests.api.test_realtime import token as token
from tests.source import ROOT

Talk = Callable[[Client], Awaitable[Any]]


async def over_http(url: str, token: str, talk: Talk) -> Any:
    async with AsyncExitStack() as stack:
        headers = {"Authorization": f"Bearer {token}"}
        http = await stack.enter_async_context(create_mcp_http_client(headers=headers))
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        return await talk(await stack.enter_async_context(Client(transport)))


async def _over_stdio(url: str, token: str, talk: Talk) -> Any:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "requests_app.client", "mcp"],
        env={"FALDECK_URL": url, "FALDECK_TOKEN": token},
        cwd=ROOT,
    )
    async with Client(command) as client:
        return await talk(client)


BY = {"http": over_http, "stdio": _over_stdio}


async def told(client: Client, tool: str, **given: Any) -> Any:
    """The answer of a tool that worked."""
    result = await client.call_tool(tool, given)
    assert not result.is_error, result.content
    return json.loads(result.content[0].text)  # type: ignore[union-attr]


async def refused(client: Client, tool: str, **given: Any) -> str:
    """The sentence of a tool that did not."""
    result = await client.call_tool(tool, given)
    assert result.is_error, result.content
    return str(result.content[0].text)  # type: ignore[union-attr]


async def confirmed(client: Client, waiting: str) -> str:
    """Submit as a client must, and cancel the request that waits; return the new one's id."""
    wanted: dict[str, Any] = {"endpoint_id": "sandbox/echo", "input": {"number": 21}}
    dry = await told(client, "submit_request", **wanted)
    assert dry["submitted"] is False
    assert {"state", "unit_price"} <= dry["price"].keys()
    confirmed = {"confirmation": dry["confirmation"]}
    other = wanted | {"input": {"number": 22}}
    assert "Confirmation" in await refused(client, "submit_request", **other, **confirmed)
    made = await told(client, "submit_request", **wanted, **confirmed)
    again = await told(client, "submit_request", **wanted, **confirmed)
    assert made["id"] == again["id"]
    answer = await told(client, "cancel_request", request_id=waiting)
    assert answer["answer"] in ("asked", "cancelled")
    return str(made["id"])


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_a_client_lists_estimates_submits_and_reads(
    transport: str, site: str, token: str, owner: Caller, stranger: Caller
) -> None:
    failed = owner.make("acme/img", status="failed", error="Too dark.")
    waiting = owner.make("acme/img")
    foreign = stranger.make("acme/img")
    streamed = owner.make("acme/text", mode="stream", status="completed")
    streamed.frames.create(
        number=1, direction="in", kind="event", data='{"word": "fox"}', size=9, offset_ms=1
    )

    async def talk(client: Client) -> Any:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == {
            "list_in_flight", "search_requests", "get_request", "read_logs", "read_record", "submit_request",
            "cancel_request",
        }  # fmt: skip
        flying = await told(client, "list_in_flight")
        assert [row["id"] for row in flying["requests"]] == [str(waiting.public_id)]
        found = await told(client, "search_requests", query="status:failed")
        assert [row["error"] for row in found["requests"]] == ["Too dark."]
        assert "no filter" in await refused(client, "search_requests", query="statuss:failed")
        row = await told(client, "get_request", request_id=str(failed.public_id))
        assert row["input"] == {"prompt": "a lighthouse"}
        assert "Not found" in await refused(
            client, "get_request", request_id=str(foreign.public_id)
        )
        page = await told(client, "read_record", request_id=str(streamed.public_id))
        assert page["items"][0]["data"] == '{"word": "fox"}'
        assert (await told(client, "read_logs", request_id=str(failed.public_id)))["lines"] == []

        return await confirmed(client, str(waiting.public_id))

    made = asyncio.run(BY[transport](site, token, talk))
    row = FalRequest.objects.get(public_id=made)
    assert (row.origin, row.input_text) == (RequestOrigin.API, '{"number": 21}')
    assert FalRequest.objects.filter(endpoint_id="sandbox/echo").count() == 1


def test_a_token_that_reads_does_not_submit_and_a_foreign_confirmation_is_refused(
    site: str, token: str, owner: Caller
) -> None:
    reads = ApiToken.issue(owner.user, owner.team, scope=TokenScope.READ)
    second = ApiToken.issue(owner.user, owner.team)
    wanted: dict[str, Any] = {"endpoint_id": "sandbox/echo", "input": {}}

    async def look(client: Client) -> None:
        assert await told(client, "list_in_flight") == {"requests": [], "more": False}
        assert "scope" in await refused(client, "submit_request", **wanted)

    async def confirmation(client: Client) -> str:
        return str((await told(client, "submit_request", **wanted))["confirmation"])

    asyncio.run(over_http(site, reads, look))
    given = asyncio.run(over_http(site, second, confirmation))

    async def submit(client: Client) -> None:
        sentence = await refused(client, "submit_request", **wanted, confirmation=given)
        assert "Confirmation" in sentence

    asyncio.run(over_http(site, token, submit))
    assert not FalRequest.objects.exists()


def test_what_is_no_call_of_a_member_is_answered_before_mcp(site: str, token: str) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    named = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    with httpx.Client(base_url=site, headers=named) as http:
        assert http.post("/mcp", json=call, headers={"Authorization": ""}).status_code == 401
        assert http.post("/mcp", json=call, headers={"Origin": "https://x.y"}).status_code == 403
        assert http.get("/mcp").status_code == 405
        large = http.post("/mcp", content=b" " * (5 * 1024 * 1024))
        assert large.status_code == 413
        assert http.post("/mcp", json=call).json()["result"]["tools"]
        assert http.get("/mcpx").status_code in (302, 404)


def test_an_answer_is_bounded_and_says_what_is_left_out() -> None:
    long = mcp_tools.bounded({"text": "é" * 10_000, "list": list(range(1000))})
    assert "6000 more characters" in long
    assert "900 more" in long
    huge = mcp_tools.bounded([["x" * 4000] * 50] * 50)
    assert len(huge) <= mcp_tools.MOST
    assert json.loads(huge)["truncated"] is True
    quoted = mcp_tools.bounded([['"' * 4000] * 50] * 50)
    assert len(quoted) <= mcp_tools.MOST

"""What of this program may open a connection: every module that imports a library of the network has its reason.

An address that a user, a model or a document named goes through `fal.public_addresses.guarded_session` alone, which
checks what it connects to; all others call addresses of the settings.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.source import imports_of, is_in, nodes_of, under

APP = "requests_app"
# Whatever is installed or in the standard library and can call out.
NETWORK = (
    "httpx", "httpcore", "aiohttp", "requests", "urllib3", "urllib.request", "http.client", "websockets",
    "websocket", "socket", "ssl", "smtplib", "poplib", "imaplib", "ftplib", "telnetlib", "xmlrpc", "socketserver",
    "boto3", "botocore", "storages", "redis", "twisted", "autobahn", "httpx_aiohttp", "h11", "mcp.client",
    "django.core.validators.urlopen", "django.core.mail",
)  # fmt: skip
PARSES = "names its errors, or reads an address; opens nothing"
# Modules that import one of these, and what they call with it.
CALLERS = {
    # Addresses from outside: the one guarded way.
    f"{APP}/fal/public_addresses.py": "the guard itself",
    f"{APP}/copies/fetching.py": "the guarded session, to media hosts",
    f"{APP}/fal/guarded_post.py": "the guarded session, to webhooks of notices, of forwarding and of own apps' requests",
    # fal's own hosts, of the settings.
    f"{APP}/fal/sessions.py": "the sessions of all calls to fal",
    f"{APP}/fal/client.py": "calls of FAL_QUEUE_URL, FAL_RUN_URL, FAL_REST_URL and FAL_API_URL",
    f"{APP}/fal/transport.py": "the same, and bounds on replies",
    f"{APP}/fal/streams.py": "streams of the same",
    f"{APP}/fal/jwks.py": "FAL_JWKS_URL",
    f"{APP}/fal/realtime.py": "FAL_REALTIME_URL",
    f"{APP}/fal/realtime_handshake.py": "FAL_REALTIME_URL",
    f"{APP}/fal/failures.py": PARSES,
    f"{APP}/fal/endpoints.py": PARSES,
    f"{APP}/localqueue/running.py": "LOCAL_APPS; no redirects, bounded",
    f"{APP}/localqueue/apps.py": PARSES,
    f"{APP}/localqueue/transport.py": "LOCAL_APPS, and between the client and fal's hosts",
    f"{APP}/gateway/upstream.py": "fal's hosts, for calls of programs",
    f"{APP}/gateway/exchange.py": "fal's hosts, for calls of programs",
    f"{APP}/catalogue/download.py": "FAL_OPENAPI_URL and FAL_API_URL; no redirects, bounded",
    # The installation's own parts, of the settings.
    f"{APP}/upkeep/clock_skew.py": "the date of FAL_QUEUE_URL",
    f"{APP}/upkeep/health.py": "whether FAL_QUEUE_URL and REDIS_URL answer",
    f"{APP}/upkeep/health_report.py": "whether PUBLIC_URL answers",
    f"{APP}/copies/s3.py": "COPIES_ENDPOINT",
    f"{APP}/notices/mail.py": "EMAIL_HOST, by Django's mail",
    f"{APP}/accounts/adapter.py": "EMAIL_HOST, by Django's mail",
    f"{APP}/views/sign_on.py": "catches what allauth's calls of OIDC_ISSUER raise",
    f"{APP}/api/mcp.py": "this site's API, without a network",
    f"{APP}/announce.py": PARSES,
    "dashboard/redislayer.py": "REDIS_URL",
    "dashboard/redis_log.py": PARSES,
    # The server's side.
    "dashboard/local_tls.py": "makes certificates; opens nothing",
    "dashboard/stopping.py": "closes the server's sockets",
    "dashboard/websocket.py": "sockets of browsers",
    "dashboard/server.py": "listens",
    "dashboard/bounded.py": "connections of clients",
}
# The sandbox plays fal on this machine; `faldeck` runs in the programs of others.
ELSEWHERE = (f"{APP}/sandbox/", f"{APP}/client/")
# What takes addresses from outside, and nothing else.
GUARDED = {
    f"{APP}/fal/public_addresses.py",
    f"{APP}/copies/fetching.py",
    f"{APP}/fal/guarded_post.py",
}
# What opens a connection without a library's name.
OPENERS = {
    "open_connection",
    "create_connection",
    "create_datagram_endpoint",
    "urlopen",
    "sock_connect",
}
MAKERS = {"ClientSession", "TCPConnector", "AsyncClient"}


def ours() -> list[str]:
    return [path for path in under(f"{APP}/", "dashboard/") if not path.startswith(ELSEWHERE)]


def importers() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in ours():
        for _, name in imports_of(path):
            if is_in(name, *NETWORK):
                found.setdefault(path, set()).add(name)
    return found


def test_every_module_that_can_call_out_is_known_with_its_reason():
    found = importers()
    assert {path: names for path, names in found.items() if path not in CALLERS} == {}
    assert sorted(set(CALLERS) - set(found)) == []


def opened(names: set[str]) -> Iterator[tuple[str, str]]:
    """Each module that calls one of these, and the name."""
    for path in ours():
        for node in nodes_of(path):
            if isinstance(node, ast.Attribute | ast.Name):
                name = node.attr if isinstance(node, ast.Attribute) else node.id
                if name in names:
                    yield path, name


def test_connections_are_opened_past_no_library():
    assert set(opened(OPENERS)) == {(f"{APP}/upkeep/health.py", "create_connection")}


def test_sessions_are_made_where_their_bounds_are():
    makers = {path for path, _ in opened(MAKERS)}
    annotated = {f"{APP}/fal/{one}.py" for one in ("client", "transport", "jwks")}
    annotated |= {f"{APP}/gateway/upstream.py", f"{APP}/api/mcp.py"}
    assert makers - annotated == {f"{APP}/fal/sessions.py", f"{APP}/fal/public_addresses.py"}


def test_addresses_from_outside_go_through_the_one_guard():
    assert {path for path, _ in opened({"guarded_session"})} == GUARDED - {
        f"{APP}/fal/public_addresses.py"
    }


def test_nothing_that_calls_out_follows_a_redirect_by_itself():
    """httpx follows none unless told to; aiohttp follows ten, so each of its calls has to say no."""
    lacking = []
    for path in ours():
        for node in nodes_of(path):
            for keyword in getattr(node, "keywords", ()):
                if keyword.arg in ("follow_redirects", "allow_redirects"):
                    assert ast.unparse(keyword.value) == "False", f"{path}:{node.lineno}"  # type: ignore[attr-defined]
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if is_call and ast.unparse(node.func.value).removesuffix("()").endswith("session"):  # type: ignore[attr-defined]
                told = {keyword.arg for keyword in node.keywords}  # type: ignore[attr-defined]
                if node.func.attr in ("get", "post", "put", "request"):  # type: ignore[attr-defined]
                    lacking += [] if "allow_redirects" in told else [f"{path}:{node.lineno}"]  # type: ignore[attr-defined]
    assert [one for one in lacking if is_of_aiohttp(one)] == []


def is_of_aiohttp(place: str) -> bool:
    return any(is_in(name, "aiohttp") for _, name in imports_of(place.partition(":")[0]))

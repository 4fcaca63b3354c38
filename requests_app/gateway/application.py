"""The ASGI application under /gateway/: who calls, where to, and then the exchange.

::

    /gateway/run/ENDPOINT…     fal.run          FAL_RUN_HOST=host/gateway/run
    /gateway/queue/ENDPOINT…   queue.fal.run    FAL_QUEUE_RUN_HOST=host/gateway/queue
    /gateway/proxy             what `x-fal-target-url` names: proxyUrl of @fal-ai/client
    /gateway/t/TOKEN/…         the same, with the caller's own key of fal's
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError
from django.http.request import split_domain_port, validate_host

from requests_app.accounts.network import network_in
from requests_app.accounts.rates import Buckets, TooManyCalls
from requests_app.fal.endpoints import Hosts
from requests_app.gateway.addresses import (
    Address,
    NoAddress,
    Operation,
    address_of,
    named_address,
)
from requests_app.gateway.callers import Caller, Callers, KeysUnknown
from requests_app.gateway.entrance import PREFIX as PREFIX
from requests_app.gateway.entrance import Entrance, NoOwnKey, OwnKey
from requests_app.gateway.exchange import Exchange, Receive, Send, answer, answer_json
from requests_app.gateway.fal_keys import fal_key
from requests_app.gateway.faulty import FaultyUpstream
from requests_app.gateway.headers import TARGET, Raw, first, to_fal
from requests_app.gateway.local import JWKS, LocalUpstream, jwks
from requests_app.gateway.owners import Owners
from requests_app.gateway.recording import Recording
from requests_app.gateway.rewriting import Rewriting
from requests_app.gateway.room import OpenRoom
from requests_app.gateway.spool import Spool
from requests_app.gateway.upstream import Upstream
from requests_app.gateway.witness import SharedParts, witness_of
from requests_app.keys import Key
from requests_app.lifecycle import TooManyOpen
from requests_app.localqueue.places import place_of
from requests_app.upkeep.metrics import GATEWAY_CALLS
from requests_app.worker.database_pool import DatabasePool
from requests_app.worker.fal_connections import hosts_from_settings
from requests_app.worker.loop import pool

SERVICES = ("run", "queue")
OPENS = (Operation.SUBMIT, Operation.DIRECT)  # what is recorded as a request
SPOOL = "gateway"  # a folder in DATA_DIR
FALS_QUEUE = "https://queue.fal.run"  # the host that is fixed in @fal-ai/client

logger = logging.getLogger(__name__)


buckets = Buckets("A caller of the gateway")


class Refusal(Exception):
    """The gateway answers itself."""

    headers: dict[str, str]

    def __init__(self, code: int, detail: str, **more: str) -> None:
        super().__init__(detail)
        self.code, self.more, self.headers = code, more, {}


class Station:
    """What belongs to one event loop: connections, keys and ids seen, the way to the record."""

    def __init__(self) -> None:
        # Look-ups have a thread of their own: they must not wait for what is being written.
        self.lookups = DatabasePool(size=1)
        self.callers = Callers(self.lookups.in_database)
        self.owners = Owners(self.lookups.in_database)
        self.room = OpenRoom(self.lookups.in_database)
        self.upstream = Upstream()
        self.recording = Recording(pool.in_database, Spool(settings.DATA_DIR / SPOOL))
        self.parts = SharedParts(self.recording, self.owners, pool.in_database)
        self._tasks: set[asyncio.Task[Any]] = set()

    def in_background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start work that outlives its call."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A call through the gateway failed.", exc_info=error)

    async def idle(self) -> None:
        """Wait until every call has ended and is recorded."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        await self.recording.idle()

    async def aclose(self) -> None:
        """End what the station holds."""
        self.recording.stop()
        await self.upstream.aclose()
        await asyncio.to_thread(self.lookups.close)
        self.recording.close()


_stations: WeakKeyDictionary[asyncio.AbstractEventLoop, Station] = WeakKeyDictionary()


def station() -> Station:
    """Return the running loop's own."""
    loop = asyncio.get_running_loop()
    if loop not in _stations:
        _stations[loop] = Station()
    return _stations[loop]


def store_leftovers() -> None:
    """Begin to store what other processes left on the disk, and go on; called on the server's loop."""
    station().recording.start()


async def gateway(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Pass one HTTP call on to fal."""
    headers: Raw = scope["headers"]
    entrance = Entrance.of(scope["path"])
    if entrance.rest == JWKS:
        await answer_json(send, jwks())
        return
    try:
        address, ours, theirs = _address(entrance, scope, headers, hosts_from_settings())
        caller = await _admitted(entrance, address, scope, headers)
        local = place_of(address.url)
        own = None if local else entrance.own_key(headers)
        key = None if own or local else await _fal_key(address, caller)
    except NoOwnKey as error:
        await answer(send, 401, str(error))
        return
    except NoAddress as error:
        await answer(send, 400 if str(error) == "Invalid request" else 404, str(error))
        return
    except Refusal as refusal:
        await answer(send, refusal.code, str(refusal), refusal.headers, **refusal.more)
        return
    here, method = station(), scope["method"]
    GATEWAY_CALLS.labels(address.operation.value).inc()
    passed = to_fal(headers, authorization=_authorization(own, key))
    sound: Upstream | LocalUpstream = here.upstream
    if local:
        hook = caller.lab.webhook_rule(address) if caller.lab else None
        sound = LocalUpstream(local, caller.team_id, here.upstream, pool.in_database, hook)
    is_faulted = caller.lab is not None and caller.lab.is_on
    rule = caller.lab.rule_for(address) if caller.lab else None
    upstream = FaultyUpstream(rule, sound) if rule else sound
    exchange = Exchange(method, address, passed, headers, Rewriting(theirs, ours), upstream)
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    exchange.witness = witness_of(
        here.parts, address, caller, headers, query, exchange.hang_up,
        fal_key_id=key.pk if key else None, own=own, is_faulted=is_faulted,
    )  # fmt: skip
    await exchange.run(receive, send, here.in_background)


def _authorization(own: OwnKey | None, key: Key | None) -> str:
    """Return what the call to fal carries: the caller's own key, else one of this server's."""
    if own:
        return own.header
    return f"Key {key.secret}" if key and key.secret else ""


def _address(
    entrance: Entrance, scope: dict[str, Any], headers: Raw, hosts: Hosts
) -> tuple[Address, str, str]:
    """Return where the call goes, and by what fal's queue is replaced in replies. Raises NoAddress."""
    service, _, path = entrance.rest.partition("/")
    method, query = scope["method"], scope["query_string"].decode("latin-1")
    if service == "proxy" and not path:
        address = named_address(hosts, first(headers, TARGET), method)
        return address, FALS_QUEUE, hosts.queue
    if service not in SERVICES:
        raise NoAddress("The gateway has no such address.")
    ours = f"{_base(scope, headers)}{entrance.prefix}queue"
    return address_of(hosts, service, path, query, method), ours, hosts.queue


def _base(scope: dict[str, Any], headers: Raw) -> str:
    """Return this site as the caller reaches it. Raises Refusal."""
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    host = first(headers, b"host")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        raise Refusal(400, "This host name is not one of this site's (ALLOWED_HOSTS).")
    scheme = first(headers, b"x-forwarded-proto") if settings.BEHIND_PROXY else ""
    return f"{scheme if scheme in ('http', 'https') else scope['scheme']}://{host}"


async def _fal_key(address: Address, caller: Caller) -> Key:
    """Return the key to call fal with. Raises Refusal."""
    here = station()
    try:
        key = await fal_key(address, caller.team_id, here.owners, here.lookups.in_database)
    except DatabaseError:
        raise Refusal(503, "Faldeck's database is away, and its keys are not known yet.") from None
    if key.problem:
        raise Refusal(503, key.problem)
    return key


def _count(caller: Caller) -> None:
    try:
        buckets.take(
            (caller.team_id, caller.user_id),
            settings.GATEWAY_CALLS_PER_MINUTE,
            now=time.monotonic(),
        )
    except TooManyCalls as error:
        refusal = Refusal(429, str(error))
        refusal.headers["Retry-After"] = error.retry_after
        raise refusal from None


async def _ensure_room(caller: Caller) -> None:
    if sentence := await station().room.refusal(caller.team_id, caller.user_id):
        refusal = Refusal(429, sentence)
        refusal.headers["Retry-After"] = TooManyOpen.retry_after
        raise refusal


async def _admitted(
    entrance: Entrance, address: Address, scope: dict[str, Any], headers: Raw
) -> Caller:
    """Return who calls. Raises Refusal."""
    remote = (scope.get("client") or [""])[0]
    used_from = network_in(remote, first(headers, b"x-forwarded-for") or None)
    key = entrance.authorization(headers)
    try:
        caller = await station().callers.find(key, used_from=used_from)
    except KeysUnknown:
        raise Refusal(
            503, "Faldeck's database is away, and this key was not used before."
        ) from None
    if caller is None:
        form = "/gateway/t/fdk_…/" if entrance.token else "NAME:fdk_…"
        raise Refusal(401, f"This is no valid key of Faldeck's gateway ({form}).")
    _count(caller)
    if address.acts and caller.refusal:
        raise Refusal(403, caller.refusal)
    if address.operation in OPENS:
        await _ensure_room(caller)
    if address.request_id and not await station().owners.may_reach(
        address.request_id, caller.team_id, only_of=None if caller.sees else caller.user_id
    ):
        raise Refusal(404, "Request not found.", status="NOT_FOUND")
    return caller

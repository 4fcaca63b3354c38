"""The parts of the sandbox, put together: what every route works with."""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from requests_app.faults.rules import Faults

from .config import Settings
from .ledger import Ledger
from .queue import Queue
from .store import Store
from .tokens import Tokens
from .webhooks import Webhooks


@dataclass
class Sandbox:
    settings: Settings
    store: Store
    faults: Faults
    ledger: Ledger
    queue: Queue
    webhooks: Webhooks
    tokens: Tokens
    # of deletions, by user and idempotency key: when, and what was said
    answers: dict[tuple[str, str], tuple[float, object]] = field(default_factory=dict)

    def start(self) -> None:
        self.queue.resume()

    async def stop(self) -> None:
        await self.queue.close()
        await self.webhooks.close()

    def save_file(self, name: str, content_type: str, data: bytes) -> str:
        return save_file(self.store, self.settings, name, content_type, data)


def save_file(store: Store, settings: Settings, name: str, content_type: str, data: bytes) -> str:
    """Keeps a file and returns its URL."""
    store.save_file(name, content_type, data)
    return f"{settings.base_url}/cdn/files/{name}"


def fresh_name(file_name: str, content_type: str) -> str:
    """An unguessable name, with the extension of the file or of its type."""
    suffix = "." + file_name.rpartition(".")[2] if "." in file_name else ""
    if not suffix[1:].isalnum() or len(suffix) > 10:
        suffix = mimetypes.guess_extension(content_type.partition(";")[0].strip()) or ".bin"
    return secrets.token_urlsafe(16) + suffix.lower()


def build(settings: Settings, store: Store, faults: Faults) -> Sandbox:
    def save(name: str, content_type: str, data: bytes) -> str:
        return save_file(store, settings, name, content_type, data)

    webhooks = Webhooks(store, settings.tuning, faults, settings.trusted)
    queue = Queue(store, settings.tuning, faults, save, webhooks.announce)
    tokens = Tokens(store.secret("tokens", secrets.token_bytes(32)))
    return Sandbox(settings, store, faults, Ledger(store), queue, webhooks, tokens)


def sandbox_of(connection: HTTPConnection) -> Sandbox:
    sandbox: Sandbox = connection.app.state.sandbox
    return sandbox


def user_of(connection: HTTPConnection) -> str | None:
    """The caller by `Authorization: Key`, or by `?fal_jwt_token=` of a browser; None = refuse."""
    sandbox = sandbox_of(connection)
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "key":
        return sandbox.settings.user_of(key.strip())
    claims = sandbox.tokens.read(connection.query_params.get("fal_jwt_token", ""))
    if claims is None or claims.expired or claims.is_for_files:
        return None
    return claims.user_id

"""Addresses of fal: of its queue, of direct calls, of its playground, of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.forms.paste.call import NotUnderstood, Options, PastedCall
from requests_app.models import Mode

_SITE = frozenset({"fal.ai", "www.fal.ai"})
_RUN = frozenset({"fal.run", "www.fal.run", "gateway.fal.run"})
_QUEUE = "queue.fal.run"
# Pages of a model behind its id.
_PAGES = frozenset({"playground", "api", "examples", "llms.txt", "requests", "versions"})
_REALTIME = "This opens a realtime session: the page Realtime does that."
_NO_ADDRESS = (
    "This is no address of an endpoint. They begin with https://queue.fal.run/, https://fal.run/ or "
    "https://fal.ai/models/."
)
_SCHEME = re.compile(r"(https?|wss?)://", re.IGNORECASE)


@dataclass(frozen=True)
class Addresses:
    """The bases of this installation, which stand beside fal's own."""

    run: str = ""
    queue: str = ""

    def read(self, text: str) -> PastedCall:
        """Return the call to an address, or to an endpoint id alone. Raises NotUnderstood."""
        if not _SCHEME.match(text):
            return self._without_scheme(text)
        return self._read_url(text)

    def is_of_fal(self, text: str) -> bool:
        """Whether the text is an address that a call can go to."""
        try:
            self.read(text)
        except NotUnderstood:
            return False
        return bool(_SCHEME.match(text))

    def _without_scheme(self, text: str) -> PastedCall:
        if text.partition("/")[0].lower() in {*_SITE, *_RUN, _QUEUE}:
            return self._read_url(f"https://{text}")
        return PastedCall(_endpoint(text.split("/")))

    def _read_url(self, text: str) -> PastedCall:
        try:
            url = urlsplit(text)
            host = (url.hostname or "").lower()
        except ValueError:
            raise NotUnderstood(_NO_ADDRESS) from None
        if url.scheme.lower() in ("ws", "wss"):
            raise NotUnderstood(_REALTIME)
        if host in _SITE:
            return _of_the_site(url)
        for base, mode in self._bases():
            if (path := _behind(url, base)) is not None:
                return _of_a_call(path, url.query, mode)
        raise NotUnderstood(_NO_ADDRESS)

    def _bases(self) -> Iterator[tuple[str, str]]:
        yield f"https://{_QUEUE}", Mode.QUEUE
        yield from ((f"https://{host}", Mode.RUN) for host in _RUN)
        yield from (
            (base, mode) for base, mode in ((self.queue, Mode.QUEUE), (self.run, Mode.RUN)) if base
        )


def _behind(url: SplitResult, base: str) -> str | None:
    """Return the path behind a base; None for another place. The scheme does not matter."""
    home = urlsplit(base)
    try:
        if (url.hostname, url.port) != (home.hostname, home.port):
            return None
    except ValueError:
        return None
    prefix = home.path.rstrip("/") + "/"
    return url.path[len(prefix) :] if url.path.startswith(prefix) else None


def _of_the_site(url: SplitResult) -> PastedCall:
    parts = [part for part in unquote(url.path).split("/") if part]
    asked = dict(parse_qsl(url.query)).get("endpoint_id", "")
    if asked:
        return PastedCall(_endpoint(asked.split("/")))
    if parts[:1] not in (["models"], ["apps"]) or len(parts) < 3:
        raise NotUnderstood(_NO_ADDRESS)
    names = parts[1:]
    if "requests" in names[2:]:
        names = names[: names.index("requests", 2)]
    if len(names) > 2 and names[-1] in _PAGES:
        names = names[:-1]
    return PastedCall(_endpoint(names))


def _of_a_call(path: str, query: str, mode: str) -> PastedCall:
    parts = [part for part in unquote(path).split("/") if part]
    notes = []
    if "requests" in parts[1:]:
        parts = parts[: parts.index("requests", 1)]
        notes.append("This is the address of a request: only its endpoint was taken.")
    if parts[-1:] == ["realtime"]:
        raise NotUnderstood(_REALTIME)
    if mode == Mode.RUN and parts[-1:] == ["stream"]:
        parts, mode = parts[:-1], Mode.STREAM
    options = Options()
    for name, value in parse_qsl(query):
        options.query(name, value)
    return PastedCall(_endpoint(parts), mode, options=options.found).noting(
        [*notes, *options.notes]
    )


def _endpoint(parts: list[str]) -> str:
    try:
        return str(EndpointId.parse("/".join(parts)))
    except InvalidEndpointId as error:
        raise NotUnderstood(_NO_ADDRESS if len(parts) < 2 else str(error)) from None

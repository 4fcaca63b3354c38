"""Which headers go on. Pure.

Hop-by-hop headers end here (RFC 9110, 7.6.1), in both directions, with all that `Connection` names. Never
passed to fal: cookies, the caller's key, and what a proxy of ours adds. Never passed back: what a reply of
fal's would set for this site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from requests_app.fal.options import BY_HEADER, BY_QUERY

Raw = Iterable[tuple[bytes, bytes]]

TARGET = b"x-fal-target-url"
VIA = "1.1 faldeck"
_HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection",
    b"te", b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
_STAYS_HERE = frozenset({
    b"accept-encoding", b"authorization", b"content-length", b"cookie", b"expect", b"forwarded", b"host",
    b"via", b"x-real-ip", TARGET,
})  # fmt: skip
_FOR_THEIR_SITE = frozenset({
    b"alt-svc", b"clear-site-data", b"set-cookie", b"set-cookie2", b"strict-transport-security",
})  # fmt: skip


def first(headers: Raw, name: bytes) -> str:
    """Return the header's first value; "" without one. Names are in lower case."""
    return next((value.decode("latin-1") for key, value in headers if key == name), "")


def to_fal(headers: Raw, *, authorization: str) -> list[tuple[str, str]]:
    """Return the headers of the call to fal, with this authorization in place of the caller's.

    Replies are asked for uncompressed: they are read here as they pass.
    """
    headers = list(headers)
    named = _named_by_connection(headers)
    passed = [
        (name.decode("latin-1"), _text(value))
        for name, value in headers
        if name not in _HOP_BY_HOP | _STAYS_HERE | named and not name.startswith(b"x-forwarded-")
    ]
    via = ", ".join(filter(None, [first(headers, b"via"), VIA]))
    passed += [("accept-encoding", "identity"), ("via", via)]
    return passed + ([("authorization", authorization)] if authorization else [])


def to_caller(headers: Raw, *, is_rewritten: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers of the reply; a rewritten one has another length."""
    lowered = [(name.lower(), value) for name, value in headers]
    ends_here = _HOP_BY_HOP | _FOR_THEIR_SITE | _named_by_connection(lowered)
    if is_rewritten:
        ends_here |= {b"content-length"}
    return [(name, value) for name, value in lowered if name not in ends_here]


def options_in(headers: Raw, query: Mapping[str, str]) -> dict[str, object]:
    """Return the platform options that a call carries; what is invalid is left out of the record."""
    found: dict[str, object] = {}
    texts = [(BY_HEADER.get(name.decode("latin-1")), value) for name, value in headers]
    texts += [(BY_QUERY.get(name), value.encode()) for name, value in query.items()]
    for option, text in texts:
        if option is None or option.name in found:
            continue
        try:
            found[option.name] = option.kind.read(text.decode("latin-1"))
        except ValueError:
            continue
    return found


def _named_by_connection(headers: Raw) -> frozenset[bytes]:
    names = [value for name, value in headers if name == b"connection"]
    return frozenset(b",".join(names).replace(b" ", b"").lower().split(b","))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")

"""fal's `/v1/meta`: the network addresses that its webhooks come from. Pure.

Source: fal's Platform OpenAPI, `GET /v1/meta`; without a key. A list is taken whole or not at all: half of it would
refuse some of fal's webhooks, and a range as wide as a continent would let everybody in.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from .jsontext import NotJson, parse_json

PATH = "/v1/meta"
MOST_RANGES = 500
# The shortest prefixes that are believed, by the version of IP: fal documents single addresses.
SHORTEST_PREFIX = {4: 16, 6: 32}
_MAPPED = IPv6Network("::ffff:0:0/96")

Network = IPv4Network | IPv6Network


def read_ranges(body: bytes) -> tuple[Network, ...]:
    """Return the ranges of `webhook_ip_ranges`. Raises NotJson, whose text is a sentence, unless each can be used."""
    told = parse_json(body)
    texts = told.get("webhook_ip_ranges") if isinstance(told, dict) else None
    if not isinstance(texts, list) or not texts:
        raise NotJson("It has no list of webhook_ip_ranges.")
    if len(texts) > MOST_RANGES:
        raise NotJson(f"It lists {len(texts):,} ranges; {MOST_RANGES} are believed.")
    return tuple(dict.fromkeys(_range(text) for text in texts))


def _range(text: object) -> Network:
    try:
        if not isinstance(text, str):
            raise ValueError
        found = unmapped(ip_network(text.strip(), strict=False))
    except ValueError:
        raise NotJson(f"It lists {str(text)[:60]!r}, which is no range of addresses.") from None
    # A range of IPv6 that holds the mapped ones holds all of IPv4.
    holds_mapped = isinstance(found, IPv6Network) and found.overlaps(_MAPPED)
    if holds_mapped or found.prefixlen < SHORTEST_PREFIX[found.version]:
        raise NotJson(f"It lists {found}, which is too wide to be believed.")
    return found


def unmapped(network: Network) -> Network:
    """Return a range of IPv4 inside IPv6 (::ffff:192.0.2.0/120) as IPv4."""
    if isinstance(network, IPv4Network) or not network.subnet_of(_MAPPED):
        return network
    return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))

"""Webhooks that fal did not send like this: genuine ones altered, and signatures of others.

Endless and by a seed, so that a failure can be had again. What is genuine, but meant for another
account or request, is for `deliveries` to find out and not made here.
"""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.signing import Signer, body_of

PREFIX = "x-fal-webhook-"
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493  # of Ed25519, RFC 8032
SMALL_ORDER_POINTS = ("01" + "00" * 31, "00" * 32, "ec" + "ff" * 30 + "7f")


@dataclass(frozen=True)
class Sent:
    """Headers and body of one POST; `kind` says what was done to it."""

    kind: str
    headers: dict[str, str]
    body: bytes

    def with_header(self, name: str, value: str, kind: str) -> Sent:
        return Sent(kind, {**self.headers, PREFIX + name: value}, self.body)

    def header(self, name: str) -> str:
        return self.headers[PREFIX + name]


class Forger:
    """Somebody who has seen genuine deliveries, and knows everything but fal's private key."""

    def __init__(self, fal: Signer, request_id: str, seed: int, *, now: datetime) -> None:
        self.fal, self.request_id, self.now = fal, request_id, now
        self.chance = random.Random(seed)
        self.genuine = [self.signed(fal, self.some_body(number)) for number in range(8)]

    def some_body(self, number: int) -> bytes:
        payload = {"seed": number, "text": "ü✓" * number, "images": [{"url": "https://x/y.png"}]}
        return body_of(self.request_id, payload=payload)

    def signed(self, signer: Signer, body: bytes, *, late_s: int = 0) -> Sent:
        timestamp = str(int((self.now - timedelta(seconds=late_s)).timestamp()))
        return Sent("", signer.headers(self.request_id, body, timestamp=timestamp), body)

    def signature_bits(self) -> Iterator[Sent]:
        """Every single bit of every genuine signature, flipped."""
        for one in self.genuine:
            whole = int(one.header("signature"), 16)
            for bit in range(512):
                yield one.with_header("signature", f"{whole ^ 1 << bit:0128x}", "signature bit")

    def others(self) -> Iterator[Sent]:
        """Everything else, for ever."""
        while True:
            forge = self.chance.choice(_WAYS)
            forged = forge(self, self.chance.choice(self.genuine))
            if (forged.headers, forged.body) not in [(g.headers, g.body) for g in self.genuine]:
                yield forged


def _signature_bytes(forger: Forger, one: Sent) -> Sent:
    text = bytearray(bytes.fromhex(one.header("signature")))
    for _ in range(forger.chance.randint(1, 8)):
        text[forger.chance.randrange(64)] = forger.chance.randrange(256)
    return one.with_header("signature", text.hex(), "signature bytes")


def _signature_text(forger: Forger, one: Sent) -> Sent:
    good = one.header("signature")
    odd = (good.upper(), good[:-2], good + "00", f" {good}", f"{good}\n", f"{good},{good}",
           good[64:] + good[:64], "0" * 128, "f" * 128, f"ed25519={good}", f"0x{good[2:]}",
           good.translate({ord("0"): "\u0660"}))  # fmt: skip
    return one.with_header("signature", forger.chance.choice(odd), "signature text")


def _of_another_delivery(forger: Forger, one: Sent) -> Sent:
    other = forger.chance.choice([each for each in forger.genuine if each is not one])
    return one.with_header("signature", other.header("signature"), "another's signature")


def _malleable(forger: Forger, one: Sent) -> Sent:
    """S + L solves the same equation; RFC 8032 forbids it."""
    good = bytes.fromhex(one.header("signature"))
    s = int.from_bytes(good[32:], "little") + GROUP_ORDER
    return one.with_header("signature", (good[:32] + s.to_bytes(32, "little")).hex(), "S + L")


def _small_order(forger: Forger, one: Sent) -> Sent:
    point = forger.chance.choice(SMALL_ORDER_POINTS)
    return one.with_header("signature", point + "00" * 32, "point of small order")


def _body_bit(forger: Forger, one: Sent) -> Sent:
    text = bytearray(one.body)
    text[forger.chance.randrange(len(text))] ^= 1 << forger.chance.randrange(8)
    return Sent("body bit", one.headers, bytes(text))


def _body_cut_or_grown(forger: Forger, one: Sent) -> Sent:
    at = forger.chance.randrange(len(one.body))
    space = one.body[:at] + b" " + one.body[at:]
    body = forger.chance.choice((one.body[:at], one.body[:at] + one.body[at + 1 :], space))
    return Sent("body cut or grown", one.headers, body)


def _other_body(forger: Forger, one: Sent) -> Sent:
    return Sent("another body", one.headers, forger.chance.choice(forger.genuine).body)


def _header_character(forger: Forger, one: Sent) -> Sent:
    name = forger.chance.choice(("request-id", "user-id", "timestamp"))
    text, at = one.header(name), forger.chance.randrange(len(one.header(name)))
    sign = chr(forger.chance.choice((*range(33, 127), 0x661, 0x2028, 9, 10, 32)))
    return one.with_header(name, text[:at] + sign + text[at + 1 :], f"{name} altered")


def _header_missing(forger: Forger, one: Sent) -> Sent:
    name = PREFIX + forger.chance.choice(("request-id", "user-id", "timestamp", "signature"))
    kept = {key: value for key, value in one.headers.items() if key != name}
    return Sent("header missing", kept, one.body)


def _time_moved(forger: Forger, one: Sent) -> Sent:
    """The clock alone is set; the signature stays that of the true time."""
    moved = int(one.header("timestamp")) + forger.chance.choice((-1, 1, 60, 3600, -3600))
    return one.with_header("timestamp", str(moved), "time moved")


def _line_moved(forger: Forger, one: Sent) -> Sent:
    """The signed text stays the same, but its lines are cut elsewhere."""
    lines = (one.header("request-id"), one.header("user-id"), one.header("timestamp"))
    headers = {PREFIX + "request-id": f"{lines[0]}\n{lines[1]}", PREFIX + "user-id": lines[2]}
    return Sent("line moved", {**one.headers, **headers}, one.body)


def _replayed(forger: Forger, one: Sent) -> Sent:
    """Signed by fal indeed, but too long ago, or for a time to come."""
    late_s = forger.chance.choice((301, 302, 3600, 86_400, -900, -3600))
    return Sent("replayed", forger.signed(forger.fal, one.body, late_s=late_s).headers, one.body)


def _another_key(forger: Forger, one: Sent) -> Sent:
    return Sent("another key", forger.signed(STRANGER, one.body).headers, one.body)


def _key_as_secret(forger: Forger, one: Sent) -> Sent:
    """The public key, which everybody knows, used as if it were an HMAC secret or a seed."""
    public = forger.fal.key.public_key().public_bytes_raw()
    if forger.chance.random() < 0.5:
        mac = hmac.new(public, _message(one), hashlib.sha512).hexdigest()
        return one.with_header("signature", mac, "key as HMAC secret")
    seed = Ed25519PrivateKey.from_private_bytes(public)
    return one.with_header("signature", seed.sign(_message(one)).hex(), "key as seed")


def _message(one: Sent) -> bytes:
    digest = hashlib.sha256(one.body).hexdigest()
    names = ("request-id", "user-id", "timestamp")
    return "\n".join((*map(one.header, names), digest)).encode()


def _id_of_another_body(forger: Forger, one: Sent) -> Sent:
    """Signed by fal, for another request: only the header was made to fit ours."""
    body = one.body.replace(forger.request_id.encode(), b"another-request", 1)
    return Sent("id of another body", forger.signed(forger.fal, body).headers, body)


STRANGER = Signer()
_WAYS: tuple[Callable[[Forger, Sent], Sent], ...] = (
    _signature_bytes, _signature_text, _of_another_delivery, _malleable, _small_order, _body_bit,
    _body_cut_or_grown, _other_body, _header_character, _header_missing, _time_moved, _line_moved,
    _replayed, _another_key, _key_as_secret, _id_of_another_body,
)  # fmt: skip


def forgeries(fal: Signer, request_id: str, *, seed: int) -> Iterator[Sent]:
    """All flipped bits first, then everything else for ever."""
    forger = Forger(fal, request_id, seed, now=datetime.now(UTC))
    yield from forger.signature_bits()
    yield from forger.others()

"""How a call came in: with a key of ours in the header, or past a token in the path with fal's key. Pure.

Under /gateway/t/TOKEN/ a program keeps its own key of fal's, which goes on unchanged; the token says for which team
the call is recorded. Of the two keys only fal's is sent on, and only ours is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from requests_app.gateway.headers import Raw, first
from requests_app.keys import ProgramKey
from requests_app.models import ApiToken, digest

PREFIX = "/gateway/"
THROUGH = "t/"  # the rest begins with a token
MOST = 500  # characters of a key


class NoOwnKey(ValueError):
    """There is no key of fal's to pass on; a sentence for the caller."""


@dataclass(frozen=True)
class OwnKey:
    """The caller's own key of fal's: what of it may be stored, and the header that carries it."""

    header: str = field(repr=False)
    digest: str
    last_four: str

    @property
    def known(self) -> ProgramKey:
        """Return what of it may be stored."""
        return ProgramKey(self.digest, self.last_four)


@dataclass(frozen=True)
class Entrance:
    """`rest` is the path behind the prefix; `token` is empty without one in the path."""

    prefix: str = field(repr=False)
    rest: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, path: str) -> Entrance:
        """Take a path apart."""
        rest = path.removeprefix(PREFIX)
        if not rest.startswith(THROUGH):
            return cls(PREFIX, rest, "")
        token, _, rest = rest.removeprefix(THROUGH).partition("/")
        return cls(f"{PREFIX}{THROUGH}{token}/", rest, token or "none")

    def authorization(self, headers: Raw) -> str:
        """Return what says who calls, in the form of the header."""
        return f"Key x:{self.token}" if self.token else first(headers, b"authorization")

    def own_key(self, headers: Raw) -> OwnKey | None:
        """Return the key to pass on; None where the server's own is taken. Raises NoOwnKey."""
        if not self.token:
            return None
        given = [value.decode("latin-1") for name, value in headers if name == b"authorization"]
        scheme, _, secret = (given[0] if len(given) == 1 else "").strip().partition(" ")
        secret = secret.strip()
        if scheme.lower() not in ("key", "bearer") or not secret or len(secret) > MOST:
            raise NoOwnKey("This address passes your own key of fal's on: send it as fal wants it.")
        if ApiToken.PREFIX in secret:
            raise NoOwnKey(
                "This address takes a key of fal's. Faldeck's own belongs to /gateway/run."
            )
        return OwnKey(given[0], digest(secret), secret[-4:] if len(secret) >= 16 else "")

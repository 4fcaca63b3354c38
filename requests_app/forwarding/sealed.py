"""A destination's address and secrets: encrypted together, in one column, bound to the team."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from requests_app.keys.encryption import decrypt, encrypt
from requests_app.models import ForwardDestination


class Sealed(NamedTuple):
    """The address, and the secrets, newest first."""

    url: str
    secrets: Sequence[str]


def seal(sealed: Sealed, *, team_id: int) -> str:
    """Return it as it is stored."""
    text = json.dumps({"url": sealed.url, "secrets": list(sealed.secrets)})
    return encrypt(text, team_id=team_id)


def unseal(destination: ForwardDestination) -> Sealed:
    """Read what is stored. Raises Undecryptable."""
    value = json.loads(decrypt(destination.encrypted, team_id=destination.team_id))
    return Sealed(value["url"], value["secrets"])

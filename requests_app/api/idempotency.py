"""The header Idempotency-Key: a call that may be repeated without being done twice."""

from __future__ import annotations

import re
from typing import Annotated

from ninja import Header

from requests_app.api.errors import BadHeader

_KEY = re.compile(r"[!-~]([ -~]{0,253}[!-~])?", re.ASCII)

IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", description="1 to 255 visible characters")
]


def ensure_key(key: str) -> None:
    """Raise BadHeader for what is no key."""
    if not _KEY.fullmatch(key):
        raise BadHeader("Idempotency-Key", "A key is 1 to 255 visible ASCII characters.")

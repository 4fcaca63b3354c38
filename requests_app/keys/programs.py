"""Keys of fal's that programs kept to themselves: calls were made with them, and the server never stores them.

Only a digest tells whether a key of the team's, or the installation's, is the same one. Where none is, a row without a
secret stands for it, as after the removal of a key: its requests wait, and are followed when the key is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from requests_app.models import FalKey, digest

MOST = 200  # rows of a team; what comes beyond them shares one


@dataclass(frozen=True)
class ProgramKey:
    """What is known of such a key; nothing, when a token made with it came in its place."""

    digest: str
    last_four: str


def row_of_program_key(team_id: int, key: ProgramKey, user_id: int, *, now: datetime) -> int | None:
    """Return the row that stands for the key; None: it is the installation's own."""
    if settings.FAL_KEY and key.digest == digest(settings.FAL_KEY):
        return None
    of_team = FalKey.objects.filter(team_id=team_id)
    theirs = of_team.filter(pattern__startswith=FalKey.OF_PROGRAM)
    same = (of_team if key.digest else theirs).filter(digest=key.digest)
    if (pk := same.order_by("removed_at", "pk").values_list("pk", flat=True).first()) is not None:
        return pk
    known, last_four = key.digest, key.last_four
    if theirs.count() >= MOST:
        known = last_four = ""
        shared = theirs.filter(digest="").values_list("pk", flat=True).first()
        if shared is not None:
            return shared
    row = FalKey.objects.create(
        team_id=team_id, name=f"a program's own …{last_four}", last_four=last_four, digest=known,
        pattern=f"{FalKey.OF_PROGRAM}{known[:32]}", made_by_id=user_id, created_at=now, changed_at=now,
        removed_at=now,
    )  # fmt: skip
    return row.pk

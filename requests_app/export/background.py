"""Write an export's file in slices, so that its worker can renew its lease, tell how far it is, and stop.

A worker that dies leaves an unfinished file; the next one begins anew with a file of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

from django.conf import settings
from django.utils import timezone

from requests_app.export import job_files
from requests_app.export.filtered import FORMATS, PASSES, WITHOUT_PAYLOADS
from requests_app.export.jobs import TOO_LARGE, ExportRefused, bytes_of
from requests_app.models import HIDDEN, Export, ExportState, Membership
from requests_app.models.turns import HeldTurn
from requests_app.search import Matches, Scope, parse_search

SLICE_S = 0.3


class ExportWriting:
    """One export while one worker writes it. Each method is called in a thread with a database."""

    def __init__(self, held: HeldTurn) -> None:
        self.held = held
        self.export = Export.objects.select_related("person").get(pk=held.pk)
        self._total = self._passed = self._size = self._room = 0
        self._file: BinaryIO | None = None
        self._pieces: Iterator[bytes] = iter(())

    def _begin(self) -> BinaryIO:
        """Count, and open the file. Raises ExportRefused."""
        export = self.export
        asker = Membership.objects.filter(team=export.team_id, user=export.person).first()
        sees = (asker is None or asker.sees) and not export.without_payloads
        if not sees:
            self._leave_out_payloads()
        # Times like `after:2d` mean what they meant when it was asked for.
        scope = Scope(export.team_id, export.person.get_username(), sees, now=export.created_at)
        rows = Matches(scope, parse_search(export.search)).rows
        self._total = rows.count()
        self._room = settings.EXPORT_LIMIT_BYTES - bytes_of(export.team_id, besides=export.pk)
        self._pieces = FORMATS[export.format](rows.shown_to(sees=sees), self._pass)
        return job_files.begin(export.public_id, self.held.lease)

    def _leave_out_payloads(self) -> None:
        """Note that the file has none, which opens it to members who may not see them. Raises ExportRefused."""
        if self.export.format not in WITHOUT_PAYLOADS:
            raise ExportRefused(HIDDEN)
        self.export.without_payloads = True
        Export.objects.filter(pk=self.held.pk, lease=self.held.lease).update(without_payloads=True)

    def _pass(self, count: int) -> None:
        self._passed += count

    def advance(self) -> bool:
        """Write for a moment; return whether there is more. Raises OSError, ExportRefused."""
        end = time.monotonic() + SLICE_S
        if self._file is None:
            self._file = self._begin()
        for piece in self._pieces:
            self._size += len(piece)
            if self._size > self._room:
                raise ExportRefused(TOO_LARGE)
            self._file.write(piece)
            if time.monotonic() > end:
                return True
        self._file.close()
        return False

    def note(self) -> bool:
        """Store how far it is; return whether to go on: it is not stopped, and no other worker has it."""
        now = timezone.now()
        if not Export.objects.renew_turn(self.held, now):
            return False
        done = min(self._passed // PASSES[self.export.format], self._total)
        mine = Export.objects.filter(pk=self.held.pk, state=ExportState.RUNNING)
        is_mine = mine.update(total=self._total, done=done, size=self._size)
        Export.objects.mark_rate(self.held.pk, now)
        return bool(is_mine)

    def finish(self) -> None:
        """Make the file the export's. Raises OSError."""
        export, now = self.export, timezone.now()
        job_files.complete(export.public_id, self.held.lease)
        mine = Export.objects.filter(pk=export.pk, lease=self.held.lease, state=ExportState.RUNNING)
        mine.update(
            state=ExportState.FINISHED, done=self._total, total=self._total, size=self._size,
            ended_at=now, due_at=None, lease=None, leased_until=None, note="",
            expires_at=now + timedelta(hours=settings.EXPORT_HOURS),
        )  # fmt: skip

    def fail(self, sentence: str) -> None:
        """End it for good, with the reason."""
        mine = Export.objects.filter(
            pk=self.held.pk, lease=self.held.lease, state=ExportState.RUNNING
        )
        mine.update(
            state=ExportState.FAILED, note=sentence[:300], ended_at=timezone.now(), due_at=None,
            lease=None, leased_until=None, size=0,
        )  # fmt: skip
        self.close()

    def close(self) -> None:
        """Remove what was written, unless it is complete."""
        if self._file is not None:
            self._file.close()
        job_files.discard(self.export.public_id, self.held.lease)


def next_export(now: datetime) -> HeldTurn | None:
    """Lease the export that has waited longest; None when there is none."""
    for pk in Export.objects.next_in_turn(now):
        if held := Export.objects.take_turn(pk, now):
            return held
    return None

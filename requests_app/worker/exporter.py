"""Write exports in the background, one at a time in a process."""

from __future__ import annotations

import asyncio
import logging

from django.utils import timezone

from requests_app.export.background import ExportWriting, next_export
from requests_app.export.jobs import ExportRefused
from requests_app.worker import faults
from requests_app.worker.database_pool import DatabasePool
from requests_app.worker.loop import pool

PAUSE_S = 0.05  # between two slices, for those who wait for the processor
NO_ROOM = "The file could not be written: {}. Ask who runs this installation."
BROKEN = "It could not be written; the log of the server has the reason."

logger = logging.getLogger(__name__)


class Exporter:
    """At most one export of a process is written. Used only on the worker loop's thread."""

    def __init__(self) -> None:
        self._is_at_it = False

    async def write_next(self) -> None:
        """Write the exports that are due. A call while one is written does nothing."""
        if self._is_at_it:
            return
        self._is_at_it = True
        try:
            while held := await pool.in_database(next_export, timezone.now()):
                # A thread of its own: it reads for minutes, and the pool may have a single one.
                reader = DatabasePool(1)
                try:
                    writing = await reader.in_database(ExportWriting, held)
                    await self._write(writing, reader)
                finally:
                    await asyncio.to_thread(reader.close_connections)
                    reader.executor.shutdown(wait=False)
        except faults.DATABASE_AWAY as error:
            faults.tell(logger, "Exports wait for the database", error)
        finally:
            self._is_at_it = False

    async def _write(self, writing: ExportWriting, reader: DatabasePool) -> None:
        try:
            while await reader.in_database(writing.advance):
                if not await pool.in_database(writing.note):
                    return
                await asyncio.sleep(PAUSE_S)
            if await pool.in_database(writing.note):
                await pool.in_database(writing.finish)
        except ExportRefused as error:
            await pool.in_database(writing.fail, str(error))
        except faults.DATABASE_AWAY:
            raise  # its lease ends, and it is begun anew
        except OSError as error:
            await pool.in_database(writing.fail, NO_ROOM.format(error.strerror or "disk error"))
        except Exception:
            logger.exception("Export %s failed.", writing.export.public_id)
            await pool.in_database(writing.fail, BROKEN)
        finally:
            await asyncio.to_thread(writing.close)


exporter = Exporter()

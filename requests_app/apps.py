"""The application of fal requests."""

from __future__ import annotations

import logging
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings

from dashboard import file_modes
from requests_app import checks  # noqa: F401  (they register themselves)

logger = logging.getLogger(__name__)


class RequestsAppConfig(AppConfig):
    """On start, restrict the file modes of stored data."""

    name = "requests_app"
    verbose_name = "fal requests"

    def ready(self) -> None:
        """Run in every process, so that it works whichever command runs first after an upgrade."""
        restrict_file_modes()


def restrict_file_modes() -> None:
    """Withdraw read access that an older version or an operator gave other users, and log it."""
    database = settings.DATABASES["default"]
    is_file = database["ENGINE"] == "dashboard.sqlite3"
    files = file_modes.database_files(str(database["NAME"])) if is_file else []
    changed, failed = file_modes.tighten([*file_modes.kept_in(settings.DATA_DIR), *files])
    if changed:
        logger.warning(
            "Other users of this machine could read %s. Now they cannot.", _named(changed)
        )
    if failed:
        logger.warning(
            "Other users of this machine may read %s: it belongs to another user. Give it to the user "
            "who runs Faldeck, with mode 0700 for folders and 0600 for files.", _named(failed),
        )  # fmt: skip


def _named(paths: list[Path]) -> str:
    return ", ".join(map(str, paths[:5])) + (f" and {len(paths) - 5} more" if paths[5:] else "")

"""Back up and restore what an installation cannot recreate: database, secret key, the
sandbox's state, and media that are kept on disk.

The backup is a tar file: `manifest.json` first, then the database as its own tools write it. It is not
compressed: PostgreSQL's dump is compressed already.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from requests_app.copies.files import is_file_name, kept_on_disk, put_back
from requests_app.lifecycle.restoring import DOUBT_PENDING
from requests_app.models import FalRequest, Status
from requests_app.upkeep import health
from requests_app.upkeep.dumps import NAMES, DumpError, copy_sqlite, dump, load

FORMAT = 1
COPIES = "copies/"  # before the names of kept media
MANIFEST, SECRET, SANDBOX = "manifest.json", "secret_key", "sandbox.sqlite3"
MOST_MANIFEST = 1024 * 1024  # bytes


@dataclass(frozen=True)
class Manifest:
    """The contents of the file. `secret_key`, `sandbox`: whether included; `requests`: number of rows."""

    format: int
    made_at: str
    database: str
    migrations: list[str]
    requests: int
    pending: int
    secret_key: bool
    sandbox: bool
    copies: int = 0  # files of own copies of media


def make(file: Path, *, with_copies: bool = True) -> Manifest:
    """Write a backup, also while the server runs; the file appears complete or not at all.

    Raises DumpError, and OSError when the file cannot be written.
    """
    if file.exists():
        raise DumpError(f"{file} exists already. Choose another name.")
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".faldeck-backup-") as folder:
        database = Path(folder) / NAMES[connection.vendor]
        dump(database)
        parts = [database, *_state_files(Path(folder))]
        media = kept_on_disk() if with_copies else []
        names = [part.name for part in parts]
        manifest = _manifest(now=timezone.now(), parts=names, copies=len(media))
        whole = Path(folder) / "whole.tar"
        descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            _pack(stream, manifest, parts, media)
            os.fsync(descriptor)
        os.link(whole, file)  # unlike a rename this never overwrites a file
    return manifest


def _state_files(folder: Path) -> list[Path]:
    found = []
    secret, sandbox = settings.DATA_DIR / SECRET, settings.DATA_DIR / SANDBOX
    if secret.exists() and secret.read_text().strip() == settings.SECRET_KEY:
        found.append(secret)
    if settings.SANDBOX and sandbox.exists():
        copy_sqlite(sandbox, folder / SANDBOX)
        found.append(folder / SANDBOX)
    return found


def _manifest(*, now: datetime, parts: list[str], copies: int) -> Manifest:
    applied = MigrationRecorder(connection).applied_migrations()
    return Manifest(
        format=FORMAT,
        made_at=now.isoformat(timespec="seconds"),
        database=connection.vendor,
        migrations=sorted(f"{app}.{name}" for app, name in applied),
        requests=FalRequest.objects.count(),
        pending=FalRequest.objects.filter(status=Status.PENDING).count(),
        secret_key=SECRET in parts,
        sandbox=SANDBOX in parts,
        copies=copies,
    )


def _pack(
    stream: IO[bytes], manifest: Manifest, parts: list[Path], media: list[tuple[str, Path]]
) -> None:
    with tarfile.open(fileobj=stream, mode="w") as archive:
        text = json.dumps(asdict(manifest), indent=2).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(text), 0o600
        archive.addfile(entry, io.BytesIO(text))
        for part in parts:
            archive.add(part, arcname=part.name, recursive=False)
        for name, path in media:
            with suppress(FileNotFoundError):  # its request was deleted meanwhile
                archive.add(path, arcname=COPIES + name, recursive=False)


# --- restoring ------------------------------------------------------------------------------------


def restore(file: Path, *, replace: bool) -> Manifest:
    """Restore everything; rows that were pending become uncertain.

    Raises DumpError, with nothing changed, when the backup is unusable or when the database is not empty
    and `replace` is not set.
    """
    try:
        with tarfile.open(file, mode="r:") as archive:
            manifest = _read_manifest(archive)
            _ensure_fits(manifest)
            _ensure_free(replace=replace)
            with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as folder:
                _unpack(archive, manifest, Path(folder))
    except tarfile.TarError as error:
        raise DumpError(f"{file} is not a whole backup: {error}") from error
    return manifest


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    try:
        value = json.loads(_member(archive, MANIFEST).read(MOST_MANIFEST))
        if value.get("format") == FORMAT:
            return Manifest(**value)
    except (ValueError, TypeError, AttributeError):
        pass
    raise DumpError("The file is a tar, but no backup that this version can read.")


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        found = archive.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise DumpError(f"The backup lacks {name}.")
    return found


def _ensure_fits(manifest: Manifest) -> None:
    if manifest.database != connection.vendor:
        raise DumpError(
            f"The backup is of {manifest.database}, DATABASE_URL is {connection.vendor}: "
            "a backup goes back to the kind of database it came from."
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := sorted(set(manifest.migrations) - known):
        raise DumpError(f"A newer version made this backup (it has {unknown[-1]}). Install that.")


def _ensure_free(*, replace: bool) -> None:
    if not health.worker():
        raise DumpError("A worker is running. Stop every server and worker, then wait 15 seconds.")
    try:
        is_used = FalRequest.objects.exists() or User.objects.exists()
    except DatabaseError:
        is_used = False  # no tables yet
    if is_used and not replace:
        raise DumpError("The database is not empty. --replace drops all that is in it now.")


def _unpack(archive: tarfile.TarFile, manifest: Manifest, folder: Path) -> None:
    names = [NAMES[manifest.database]]
    names += [SECRET] if manifest.secret_key else []
    names += [SANDBOX] if manifest.sandbox else []
    for name in names:  # extract everything before anything is replaced
        with (folder / name).open("xb") as target, _member(archive, name) as source:
            shutil.copyfileobj(source, target)
    load(folder / names[0], DOUBT_PENDING)
    if manifest.secret_key:
        (folder / SECRET).chmod(0o600)
        (folder / SECRET).replace(settings.DATA_DIR / SECRET)
    if manifest.sandbox:
        copy_sqlite(folder / SANDBOX, settings.DATA_DIR / SANDBOX)
    _unpack_copies(archive)


def _unpack_copies(archive: tarfile.TarFile) -> None:
    for member in archive:
        name = member.name.removeprefix(COPIES)
        if member.isfile() and name != member.name and is_file_name(name):
            source = archive.extractfile(member)
            if source:
                put_back(name, source)

"""Static files by names with a hash of their content: compressed, and kept by browsers for ever.

`manage.py serve` collects them into DATA_DIR/static before the application is made, for WhiteNoise
looks at its files once. Everything else (tests, commands, DEBUG, a disk that takes no more) uses the
plain names, which lead to the sources.

::

    DATA_DIR/static/files/          those of this version, and those that older pages still name
    DATA_DIR/static/manifest.json   what the files were made of, and name -> [hashed name, size]
    DATA_DIR/static/lock            one process at a time collects
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, cast
from wsgiref.headers import Headers

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import StaticFilesStorage, staticfiles_storage
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

from dashboard.hashed_files import write_hashed
from dashboard.inert import INERT_POLICY
from dashboard.permissions import PERMISSIONS

logger = logging.getLogger(__name__)

# What pages name. Packages bring more.
USED = (
    "css/*", "js/*", "favicon.svg", "icons.svg", "django_htmx/htmx-2.min.js",
    "ninja/swagger-ui.css", "ninja/swagger-ui-bundle.js", "ninja/swagger-ui-init.js",
)  # fmt: skip
FORMAT = 2  # of the manifest; another one collects anew
KEPT_S = 30 * 86400  # files of older versions, for pages that stay open


class PageStorage(StaticFilesStorage):
    """Gives the addresses that pages name: hashed ones as soon as `use` says which there are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hashed: Mapping[str, str] = {}
        self._addresses: dict[str, str] = {}

    def use(self, hashed: Mapping[str, str]) -> None:
        """From now on name these; {} for plain names."""
        self._hashed, self._addresses = hashed, {}

    def url(self, name: str | None) -> str:
        """Return the address; Django's way to it takes 20 µs, and a page asks for fifty."""
        name = name or ""
        if name not in self._addresses:
            self._addresses[name] = super().url(self._hashed.get(name, name))
        return self._addresses[name]


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, which also finds what another process has collected since.

    While processes are restarted one by one, a page of the new version asks the old one for files.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        url = request.path_info
        if self.static_root and url.startswith(self.static_prefix) and url not in self.files:
            self._look_again(url)
        response: HttpResponseBase = super().__call__(request)
        if "immutable" in response.headers.get("Cache-Control", ""):
            for name in (
                "ETag",
                "Last-Modified",
            ):  # never asked again: 8 KB of a page's first visit
                del response.headers[name]
        return response

    def add_mime_headers(self, headers: Headers, path: str, url: str) -> None:
        """Add what the middleware for pages would: of it no more than a file needs.

        Scripts and styles come by the dozen, and are no documents.
        """
        super().add_mime_headers(headers, path, url)
        headers["X-Content-Type-Options"] = "nosniff"
        if not url.endswith((".js", ".css")):
            headers["Permissions-Policy"] = PERMISSIONS
            # A picture that is opened by its address is a document, and an SVG may hold scripts.
            headers["Content-Security-Policy"] = INERT_POLICY

    def _look_again(self, url: str) -> None:
        path = Path(self.static_root, url.removeprefix(self.static_prefix))
        if self.url_is_canonical(url) and path.is_file():
            self.add_file_to_dictionary(url, str(path))


def use_collected() -> None:
    """Collect what has changed, and let pages name it.

    When that fails, pages name the sources, as slow as they are: a warning says so.
    """
    folder = settings.DATA_DIR / "static"
    try:
        hashed = prepare(folder)
    except OSError as error:
        logger.warning(
            "Static files cannot be collected in %s (%s): pages load slowly.", folder, error
        )
        return
    settings.STATIC_ROOT = str(folder / "files")
    cast(PageStorage, staticfiles_storage).use(hashed)


def prepare(folder: Path) -> dict[str, str]:
    """Return the hashed name of each file, all of which are in `folder`/files then.

    Raises OSError when the disk does not take them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        sources = _sources()
        digest = _digest(sources)
        kept = _Manifest.read(folder / "manifest.json")
        if kept.digest != digest or not kept.is_complete(folder / "files"):
            kept = _collect(sources, digest, folder, before=kept)
        return {name: hashed for name, (hashed, _) in kept.files.items()}


class _Manifest(NamedTuple):
    digest: str
    files: Mapping[str, tuple[str, int]]  # hashed name and size, which a crash may have cut short

    @classmethod
    def read(cls, path: Path) -> _Manifest:
        """An empty one when there is none that can be read."""
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            files = {name: (hashed, size) for name, (hashed, size) in kept["files"].items()}
            return cls(kept["digest"], files)
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return cls("", {})

    def is_complete(self, files: Path) -> bool:
        return all(_size(files / hashed) == size for hashed, size in self.files.values())


def _sources() -> dict[str, Path]:
    """What pages use; of two files of one name the first, as Django finds them."""
    found: dict[str, Path] = {}
    for finder in get_finders():
        for path, storage in finder.list([]):
            if any(fnmatch(path, pattern) for pattern in USED):
                found.setdefault(path, Path(storage.path(path)))
    return found


def _digest(sources: Mapping[str, Path]) -> str:
    facts: list[object] = [FORMAT, USED, django.__version__, version("whitenoise")]
    for name, path in sorted(sources.items()):
        stat = path.stat()
        facts.append([name, stat.st_size, stat.st_mtime_ns])
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _collect(
    sources: Mapping[str, Path], digest: str, folder: Path, *, before: _Manifest
) -> _Manifest:
    """In a folder beside, then file by file into place: a process that serves them sees no half."""
    files = folder / "files"
    _drop_old(files, before)
    for left in folder.glob("new-*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="new-") as new:
        hashed = write_hashed(sources, Path(new))
        made = {name: (to, (Path(new) / to).stat().st_size) for name, to in hashed.items()}
        # Each compressed one before the plain one of the same name, beside which it is looked for.
        for path in sorted(Path(new).rglob("*"), reverse=True):
            if path.is_file():
                _put(path, files / path.relative_to(new))
        written = Path(new) / "manifest.json"
        written.write_text(json.dumps({"digest": digest, "files": made}), encoding="utf-8")
        written.replace(folder / "manifest.json")
    return _Manifest(digest, made)


def _put(path: Path, place: Path) -> None:
    """Move it, unless the same is there: it may be open in another process."""
    if _size(place) != path.stat().st_size:
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def _drop_old(files: Path, before: _Manifest) -> None:
    """Remove what no version of the last month had. The last version's month begins now."""
    for hashed, _ in before.files.values():
        for path in [files / f"{hashed}{ending}" for ending in ("", ".gz", ".br")]:
            if path.exists():
                os.utime(path)
    for path in files.rglob("*"):
        if path.is_file() and path.stat().st_mtime < time.time() - KEPT_S:
            path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    """-1 for what is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1

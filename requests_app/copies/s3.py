"""The store in a bucket that speaks S3. Loaded only when the settings name a bucket."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from requests_app.copies.store import Bytes, MissingFile, StoreProblem

_AWAY = (BotoCoreError, Boto3Error, ClientError)
_MISSING = ("NoSuchKey", "404", "NotFound")


class S3Store(S3Storage):  # type: ignore[misc]
    """Objects appear whole: an upload that breaks off leaves none."""

    def put(self, name: str, path: Path) -> None:
        try:
            self.bucket.Object(name).upload_file(str(path))
        except _AWAY as error:
            raise _problem("stored", error) from error

    def opened_at(self, name: str, first: int, last: int) -> Bytes:
        try:
            found = self.bucket.Object(name).get(Range=f"bytes={first}-{last}")
        except _AWAY as error:
            if _code(error) in _MISSING:
                raise MissingFile("The file is no longer in the store.") from error
            raise _problem("read", error) from error
        return cast(Bytes, found["Body"])

    def remove(self, name: str) -> None:
        try:
            self.bucket.Object(name).delete()
        except _AWAY as error:
            raise _problem("removed", error) from error


def _code(error: Exception) -> str:
    found = error.response.get("Error", {}) if isinstance(error, ClientError) else {}
    return str(found.get("Code", ""))


def _problem(verb: str, error: Exception) -> StoreProblem:
    # Its text may hold the address of the bucket, and no more than the kind of error is needed.
    return StoreProblem(f"The file could not be {verb}: {_code(error) or type(error).__name__}.")

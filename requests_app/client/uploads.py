"""A file on its way to fal's storage: where to is asked of Faldeck, the bytes go there directly."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Generator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from .calls import Call
from .errors import FalClientError

Steps = Generator[Call, httpx.Response, str]
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Upload:
    """What is uploaded, by the names of fal's client; the settings of its storage are not Faldeck's."""

    name: str
    content_type: str
    source: bytes | Path

    @classmethod
    def of_data(cls, data: str | bytes, content_type: str, name: str | None) -> Upload:
        """Take a text or bytes."""
        raw = data.encode() if isinstance(data, str) else data
        ending = mimetypes.guess_extension(content_type) or ".bin"
        return cls(name or f"upload{ending}", content_type, raw)

    @classmethod
    def of_file(cls, path: os.PathLike[str] | str) -> Upload:
        """Take a file; its type is guessed from its name."""
        file = Path(path)
        return cls(file.name, mimetypes.guess_type(file.name)[0] or "", file)

    @classmethod
    def of_image(cls, image: Any, format: str) -> Upload:
        """Take an image of Pillow's."""
        buffer = BytesIO()
        image.save(buffer, format=format)
        return cls(f"upload.{format}", f"image/{format}", buffer.getvalue())

    def steps(self) -> Steps:
        """Yield the calls, take their answers, and return the file's address."""
        with self._opened() as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            told = {"name": self.name, "content_type": self.content_type, "size": size}
            body = json.dumps(told).encode()
            start = Call("POST", "", room="uploads/", headers=_JSON, body=body)
            started: dict[str, Any] = (yield start).json()
            if started["part_size"]:
                yield from self._parts(file, started)
            else:
                kind = {"Content-Type": started["content_type"]}
                address = started["upload_url"]
                yield Call("PUT", "", address=address, headers=kind, body=file.read())
        return str(started["file_url"])

    def _opened(self) -> BinaryIO:
        if isinstance(self.source, Path):
            return self.source.open("rb")
        return BytesIO(self.source)

    def _parts(
        self, file: BinaryIO, started: dict[str, Any]
    ) -> Generator[Call, httpx.Response, None]:
        base, mark, query = started["upload_url"].partition("?")  # signed: letter for letter
        kind = {"Content-Type": started["content_type"]}
        done: list[dict[str, Any]] = []
        while part := file.read(started["part_size"]):
            number = len(done) + 1
            address = f"{base}/{number}{mark}{query}"
            answer = yield Call("PUT", "", address=address, headers=kind, body=part)
            done.append({"partNumber": number, "etag": answer.headers.get("etag", "")})
        address = f"{base}/complete{mark}{query}"
        body = json.dumps({"parts": done}).encode()
        yield Call("POST", "", address=address, headers=_JSON, body=body)


def ensure_plain(lifecycle: object) -> None:
    """Refuse what only fal's client can do."""
    if lifecycle is not None:
        raise FalClientError("Faldeck cannot set how long fal keeps an upload.")

"""Uploads by fal's own client, run by `test_fal_client.py` in a process of its own: prints name -> address as JSON.

    fal_client_uploads.py FILE

The plugin points the client at the sandbox. The threshold and the size of a part are constants of the
client as its addresses are, so that two kilobytes go in parts.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import fal_client_plugin  # noqa: F401  (points the client at the sandbox)
from fal_client import AsyncClient, SyncClient, client
from fal_client.client import StorageSettings

FILE = Path(sys.argv[1])
DATA = FILE.read_bytes()
TYPE = "image/png"


def in_one_piece() -> dict[str, str]:
    """Each repository, bytes and a file."""
    sync = SyncClient()
    return {
        "bytes": sync.upload(DATA, TYPE, file_name="a.png"),
        "bytes without a name": sync.upload(DATA, TYPE),
        "file": sync.upload_file(FILE),
        "by the initiate flow": sync.upload(DATA, TYPE, file_name="a.png", repository="fal"),
        "file by the initiate flow": sync.upload_file(FILE, repository="fal"),
        "with a life": sync.upload_file(FILE, lifecycle=StorageSettings(expires_in="1d")),
    }


async def in_one_piece_async() -> dict[str, str]:
    other = AsyncClient()
    return {
        "async bytes": await other.upload(DATA, TYPE, file_name="a.png"),
        "async file": await other.upload_file(FILE),
        "async by the initiate flow": await other.upload_file(FILE, repository="fal"),
    }


async def in_parts() -> dict[str, str]:
    client.MULTIPART_THRESHOLD, client.MULTIPART_CHUNK_SIZE = 1000, 300
    sync, other = SyncClient(), AsyncClient()
    return {
        "bytes in parts": sync.upload(DATA, TYPE, file_name="a.png"),
        "file in parts": sync.upload_file(FILE),
        "async bytes in parts": await other.upload(DATA, TYPE, file_name="a.png"),
        "async file in parts": await other.upload_file(FILE),
    }


if __name__ == "__main__":
    made = in_one_piece() | asyncio.run(in_one_piece_async()) | asyncio.run(in_parts())
    print(json.dumps(made))

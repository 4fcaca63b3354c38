"""The wheel is one by the specification; pip's own judgement is in tests/process/test_client.py."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from base64 import urlsafe_b64encode
from email import message_from_bytes
from io import BytesIO

from requests_app.client import __version__
from requests_app.export.client_wheel import client_wheel
from tests.source import under


def test_the_record_names_every_file_with_its_digest_and_size() -> None:
    with zipfile.ZipFile(BytesIO(client_wheel().data)) as archive:
        about = f"faldeck-{__version__}.dist-info"
        rows = list(csv.reader(archive.read(f"{about}/RECORD").decode().splitlines()))
        assert [name for name, *_ in rows] == archive.namelist()
        assert rows.pop() == [f"{about}/RECORD", "", ""]
        for name, digest, size in rows:
            data = archive.read(name)
            coded = urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={coded}", str(len(data)))
        sources = {f"faldeck/{path.rpartition('/')[2]}" for path in under("requests_app/client/")}
        assert sources < set(archive.namelist())
        metadata = message_from_bytes(archive.read(f"{about}/METADATA"))
        assert (metadata["Name"], metadata["Version"]) == ("faldeck", __version__)
        assert any(one.startswith("httpx") for one in metadata.get_all("Requires-Dist", []))


def test_the_same_source_gives_the_same_bytes() -> None:
    assert client_wheel.__wrapped__() == client_wheel()

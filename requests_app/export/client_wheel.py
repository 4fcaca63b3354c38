"""The package `faldeck` as a wheel, made from the source beside it, so that it always fits this API."""

from __future__ import annotations

import hashlib
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "client"
_TAG = "py3-none-any"


@dataclass(frozen=True)
class ClientWheel:
    """The file, and the name that tells pip what it is."""

    name: str
    data: bytes


@cache
def client_wheel() -> ClientWheel:
    """Build it, once in a process. The same source gives the same bytes."""
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stem = f"{project['name']}-{project['version']}"
    members = dict(_members(project, f"{stem}.dist-info"))
    record = f"{stem}.dist-info/RECORD"
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in members.items()]
    members[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)  # its time is 1980: no clock in the bytes
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return ClientWheel(f"{stem}-{_TAG}.whl", buffer.getvalue())


def _members(project: dict[str, Any], about: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted([*SOURCE.glob("*.py"), SOURCE / "py.typed"]):
        yield f"{project['name']}/{path.name}", path.read_bytes()
    yield f"{about}/METADATA", "\n".join([*_metadata(project), ""]).encode()
    wheel = ["Wheel-Version: 1.0", "Generator: faldeck", "Root-Is-Purelib: true", f"Tag: {_TAG}"]
    yield f"{about}/WHEEL", "\n".join([*wheel, ""]).encode()
    if scripts := project.get("scripts"):
        lines = [f"{name} = {target}" for name, target in scripts.items()]
        yield f"{about}/entry_points.txt", "\n".join(["[console_scripts]", *lines, ""]).encode()


def _metadata(project: dict[str, Any]) -> Iterator[str]:
    yield "Metadata-Version: 2.1"
    yield f"Name: {project['name']}"
    yield f"Version: {project['version']}"
    yield f"Summary: {project['description']}"
    yield f"Requires-Python: {project['requires-python']}"
    for needed in project["dependencies"]:
        yield f"Requires-Dist: {needed}"
    for extra, packages in project.get("optional-dependencies", {}).items():
        yield f"Provides-Extra: {extra}"
        for needed in packages:
            yield f'Requires-Dist: {needed}; extra == "{extra}"'


def _digest(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()

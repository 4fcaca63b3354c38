"""Files inside outputs: decoded where they are whole, left alone where they are not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from requests_app.export import inline_files
from requests_app.export.inline_files import inline_files as files_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def uri(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def found(output: Any) -> list[tuple[str, bytes]]:
    return list(files_of(json.dumps(output).encode()))


def test_each_file_is_decoded_in_its_order() -> None:
    output = {
        "images": [{"url": uri(PNG)}, {"url": uri(b"gif", "image/gif")}],
        "n": [uri(b"x", "audio/mp3")],
    }
    assert found(output) == [("png", PNG), ("gif", b"gif"), ("mp3", b"x")]


@pytest.mark.parametrize(
    "output",
    [
        {"url": "https://v3.fal.media/a.png"},
        {"url": "data:image/png;base64,AAA"},  # a wrong length
        {"url": "data:image/png;base64,%%%%"},
        {"url": uri(b"<script>", "text/html")},
        {"url": uri(b"<svg/>", "image/svg+xml")},
        "words; and ;base64, in them",
    ],
)
def test_what_is_no_whole_harmless_file_is_left_out(output: Any) -> None:
    assert found(output) == []


@pytest.mark.parametrize(
    "body", [b"", b"\xff;base64,", b'{"url": ;base64,}', b"[" * 100_000 + b";base64,"]
)
def test_what_is_no_json_has_no_files(body: bytes) -> None:
    assert list(files_of(body)) == []


def test_an_output_too_large_to_parse_stays_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline_files, "PARSE_LIMIT", 100)
    assert found({"url": uri(PNG)}) == []

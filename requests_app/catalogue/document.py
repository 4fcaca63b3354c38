"""An endpoint's OpenAPI document as fal serves it: find the input and output schemas, resolve
references. Pure.

The documents call themselves 3.0.4 but are not; read as 3.1 (JSON Schema 2020-12) they are valid,
so nothing is converted. Any part may be malformed: an unreadable document raises `DocumentError`,
a dangling reference gives None.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from requests_app.fal.endpoints import EndpointId

MAX_BYTES = 8 * 1024 * 1024
LARGEST = sys.float_info.max
METADATA = "x-fal-metadata"
MOST_PATHS = 8  # that a sentence names

Schema = Mapping[str, Any]


class DocumentError(Exception):
    """The document cannot be used; the message is a sentence for users."""


@dataclass(frozen=True)
class Document:
    """A parsed document. `root` is the JSON, unchanged.

    `own_paths`: where the endpoint's POST may be, without slashes around: fal's queue has the whole id
    there, an app's own document the part behind the app. Without any the first POST counts.
    """

    root: Mapping[str, Any]
    own_paths: tuple[str, ...] = ()

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return fal's metadata of the endpoint: endpointId, category, thumbnailUrl, about …"""
        return _mapping(_mapping(self.root.get("info")).get(METADATA))

    @property
    def title(self) -> str:
        """Return the document's title; empty without one."""
        title = _mapping(self.root.get("info")).get("title")
        return title if isinstance(title, str) else ""

    def input_schema(self) -> Schema | None:
        """Return the schema of the body that a submit sends; None when the endpoint takes none."""
        for operation in self._posts():
            body = _mapping(operation.get("requestBody"))
            if (schema := _json_schema(body)) is not None:
                return schema
        return None

    def output_schema(self) -> Schema | None:
        """Return the schema of a result; None when the document has none."""
        # An app answers its POST with the result; fal's queue has it at the request.
        for path, operation in self._operations_by_path("get"):
            if path.endswith("/{request_id}"):
                ok = _mapping(_mapping(operation.get("responses")).get("200"))
                if (schema := _json_schema(ok)) is not None:
                    return schema
        for operation in self._posts():
            ok = _mapping(_mapping(operation.get("responses")).get("200"))
            if (schema := _json_schema(ok)) is not None:
                return schema
        return None

    def ensure_own_path(self) -> None:
        """Raise DocumentError, which names the paths there are, when the endpoint's is not among them."""
        # An app lists its root as "" and as "/".
        paths = list(dict.fromkeys(path or "/" for path, _ in self._operations_by_path("post")))
        if not any(path.strip("/") in self.own_paths for path in paths):
            wanted = f"/{self.own_paths[-1]}"
            has = ", ".join(paths[:MOST_PATHS]) or "none"
            raise DocumentError(
                f"The document has no POST {wanted} for this endpoint. It has: {has}."
            )

    def follow(self, reference: object) -> Schema | None:
        """Return the schema of a local `$ref` (`#/components/schemas/X`); None when it is dangling."""
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return None
        found: Any = self.root
        for part in reference[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                return None
            found = found[name]
        return found if isinstance(found, Mapping) else None

    def _posts(self) -> list[Mapping[str, Any]]:
        """Return the endpoint's own POST, or all of them."""
        found = list(self._operations_by_path("post"))
        own = [operation for path, operation in found if path.strip("/") in self.own_paths]
        return own or [operation for _, operation in found]

    def _operations_by_path(self, method: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for path, operations in _mapping(self.root.get("paths")).items():
            operation = _mapping(operations).get(method)
            if isinstance(path, str) and isinstance(operation, Mapping):
                yield path, operation


def parse_document(raw: bytes, endpoint: EndpointId | None = None) -> Document:
    """Parse the document of an endpoint. Raises DocumentError for anything else, including fal's own error objects."""
    if len(raw) > MAX_BYTES:
        raise DocumentError(f"The schema has {len(raw):,} bytes; {MAX_BYTES:,} are read at most.")
    try:
        root = _with_whole_characters(_DECODER.decode(raw.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        raise DocumentError("The schema is not JSON.") from None
    if not isinstance(root, dict):
        raise DocumentError("The schema is not a JSON object.")
    if "paths" not in root and isinstance(error := root.get("error"), dict):
        raise DocumentError(
            f"fal has no schema for it: {error.get('message') or error.get('code')}"
        )
    if not isinstance(root.get("paths"), dict):
        raise DocumentError("The document has no paths, so it describes no endpoint.")
    return Document(root, (str(endpoint), endpoint.path) if endpoint else ())


def _finite(literal: str) -> float:
    """Read a number beyond a double as the largest one: neither a page nor a reply can hold Infinity."""
    return max(-LARGEST, min(LARGEST, float(literal)))


def _constant(name: str) -> float | None:
    """Python writes what JSON has no word for as NaN and Infinity."""
    return None if name == "NaN" else _finite(name)


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_constant)


def _with_whole_characters(root: Any) -> Any:
    """Replace halves of surrogate pairs: JSON can escape them, no page can hold them."""
    text = json.dumps(root, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode(errors="replace"))
    return root


def _json_schema(content_holder: Mapping[str, Any]) -> Schema | None:
    content = _mapping(content_holder.get("content"))
    schema = _mapping(content.get("application/json")).get("schema")
    return schema if isinstance(schema, Mapping) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

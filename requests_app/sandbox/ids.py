"""Endpoint ids: `[namespace/]owner/alias[/path]`."""

from __future__ import annotations

from dataclasses import dataclass

NAMESPACES = ("workflows", "comfy")


@dataclass(frozen=True)
class EndpointId:
    """`app` is the part that status, result and cancel URLs keep; `path` has no outer slashes."""

    app: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.app}/{self.path}" if self.path else self.app

    @property
    def alias(self) -> str:
        return self.app.rsplit("/", 1)[1]


def parse(text: str) -> EndpointId | None:
    """None when the text is too short to name an owner and an app."""
    parts = [part for part in text.split("/") if part]
    size = 3 if parts and parts[0] in NAMESPACES else 2
    if len(parts) < size:
        return None
    return EndpointId("/".join(parts[:size]), "/".join(parts[size:]))

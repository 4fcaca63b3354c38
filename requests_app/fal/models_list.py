"""fal's list of models: the query of a search, and the reading of a page. Pure.

Source: fal's Platform OpenAPI, `GET /v1/models`; the key is optional. A missing or malformed member
counts as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .endpoints import EndpointId, InvalidEndpointId
from .jsontext import NotJson, parse_json

PATH = "/v1/models"
PAGE = 24
# Those fal had in 2026; the list itself may name others.
CATEGORIES = (
    "text-to-image", "image-to-image", "text-to-video", "image-to-video", "video-to-video",
    "text-to-speech", "text-to-audio", "audio-to-audio", "speech-to-text", "text-to-3d",
    "image-to-3d", "vision", "llm", "json", "training",
)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """One listed model. Texts are empty where fal says nothing."""

    endpoint_id: str
    title: str = ""
    category: str = ""
    description: str = ""
    status: str = ""
    licence: str = ""
    page_url: str = ""


@dataclass(frozen=True)
class ModelsPage:
    """One page; an empty `next_cursor` is the end."""

    models: tuple[Model, ...]
    next_cursor: str = ""


def search_params(*, q: str = "", category: str = "", cursor: str = "") -> dict[str, str]:
    """Return the query of one page of a search."""
    given = {"q": q, "category": category, "cursor": cursor}
    return {"limit": str(PAGE), **{name: value for name, value in given.items() if value}}


def read_models(body: bytes) -> ModelsPage:
    """Parse one page. Raises NotJson for what is not a list of models."""
    root = parse_json(body)
    if not isinstance(root, dict) or not isinstance(root.get("models"), list):
        raise NotJson("There is no list of models.")
    found = [model for one in root["models"] if (model := _model(one)) is not None]
    more = _text(root, "next_cursor") if root.get("has_more") is not False else ""
    return ModelsPage(tuple(found), more)


def _model(told: object) -> Model | None:
    if not isinstance(told, Mapping) or not isinstance(told.get("endpoint_id"), str):
        return None
    try:
        endpoint = EndpointId.parse(told["endpoint_id"])
    except InvalidEndpointId:
        return None
    facts = told.get("metadata")
    facts = facts if isinstance(facts, Mapping) else {}
    return Model(
        str(endpoint),
        title=_text(facts, "display_name"),
        category=_text(facts, "category"),
        description=" ".join(_text(facts, "description").split()),
        status=_text(facts, "status"),
        licence=_text(facts, "license_type"),
        page_url=_web_address(_text(facts, "model_url")),
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


def _web_address(text: str) -> str:
    """Return an address that may become a link; anything else is dropped."""
    is_plain = text.isascii() and text.isprintable() and " " not in text
    return text if is_plain and text.startswith(("https://", "http://")) else ""

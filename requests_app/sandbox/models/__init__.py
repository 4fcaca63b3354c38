"""The models this fal serves, one file each. `ENDPOINTS` is the catalogue."""

from __future__ import annotations

from requests_app.sandbox.ids import EndpointId

from . import any_llm, crash, echo, image, large, patient, sdxl, slow, strict, text
from .base import Endpoint

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.id: endpoint
    for module in (image, slow, text, echo, strict, crash, patient, large, sdxl, any_llm)
    for endpoint in module.ENDPOINTS
}
APPS = frozenset("/".join(endpoint_id.split("/")[:2]) for endpoint_id in ENDPOINTS)


def find(endpoint_id: EndpointId) -> Endpoint | None:
    return ENDPOINTS.get(str(endpoint_id))

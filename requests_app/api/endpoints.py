"""Endpoints for programs: fields, schema, and a check of an input."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404
from django.utils import timezone
from ninja import Field as SchemaField
from ninja import Router, Schema, Status
from pydantic import RootModel

from requests_app.api.auth import MANAGES_ROWS, READS_ROWS, ApiRequest
from requests_app.catalogue import pasted, store
from requests_app.catalogue.fields import MISSING, Field
from requests_app.catalogue.kinds import Kind
from requests_app.catalogue.prices import PriceState, price_of
from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.models import Team
from requests_app.request_input import InvalidDraft

router = Router(tags=["endpoints"])


class FieldOut(Schema):
    """One field of an endpoint's input. `path` is a JSON pointer; `*` stands for any item of a list or map."""

    name: str
    path: str
    kind: Kind
    title: str
    description: str
    required: bool
    nullable: bool
    has_default: bool = SchemaField(description="False: `default` says nothing, not even null.")
    default: Any = None
    choices: list[Any]
    minimum: float | None
    maximum: float | None
    step: float | None
    hint: str
    group: str = SchemaField(description="`main`: required or important. `more`: the rest.")
    fields: list[FieldOut] = SchemaField(description="The members of an object.")
    item: FieldOut | None = SchemaField(None, description="What a list or map holds.")


class PriceOut(Schema):
    """fal's price. Amounts are null where fal tells none; `problem` and `estimate_problem` say why.

    `estimate_per_call` is fal's own figure from past calls, not a product of ours.
    """

    state: PriceState
    unit_price: float | None
    unit: str = SchemaField(description="In fal's words.")
    currency: str
    estimate_per_call: float | None
    estimate_currency: str
    problem: str
    estimate_problem: str
    read_at: datetime


class EndpointOut(Schema):
    """An endpoint. `problem`: why there is no schema, or why it may be old."""

    endpoint_id: str
    title: str
    category: str
    description: str
    fields: list[FieldOut]
    input_schema: dict[str, Any] | None
    price: PriceOut
    problem: str
    pasted_by: str = SchemaField(
        description="Whose document is used in place of fal's; else empty."
    )
    pasted_at: datetime | None


class DocumentIn(RootModel[dict[str, Any]]):
    """The `openapi.json` of an own app, as the app serves it."""


class InputIn(Schema, extra="forbid"):
    """An input to check."""

    input: dict[str, Any]


class ProblemOut(Schema):
    """`path`: JSON pointer of the invalid value, empty for the whole input."""

    path: str
    message: str


class ValidationOut(Schema):
    """Whether the schema accepts the input. `checked` is false when there is no schema."""

    valid: bool
    checked: bool
    errors: list[ProblemOut]


@router.post(
    "{path:endpoint_id}/validate/",
    auth=READS_ROWS,
    response={200: ValidationOut},
    summary="Check an input",
)
def validate(request: ApiRequest, endpoint_id: str, payload: InputIn) -> dict[str, Any]:
    """Check an input against the endpoint's schema. Nothing is sent to the endpoint."""
    return judged(_endpoint(endpoint_id), request.auth.team, payload.input)


def judged(endpoint: EndpointId, team: Team, value: dict[str, Any]) -> dict[str, Any]:
    """Return what the endpoint's schema says of an input, as `ValidationOut` has it."""
    entry = store.get(endpoint, team)
    problems = entry.known.validator.problems(value) if entry.known else []
    return {
        "valid": not problems,
        "checked": entry.known is not None,
        "errors": [{"path": problem.path, "message": problem.message} for problem in problems],
    }


@router.put(
    "{path:endpoint_id}/document/",
    auth=MANAGES_ROWS,
    response={
        200: EndpointOut,
    },
    summary="Set the document of an own app",
)
def set_document(request: ApiRequest, endpoint_id: str, payload: DocumentIn) -> dict[str, Any]:
    """Use this `openapi.json` for the whole team, in place of the one that fal serves or does not.

    It needs a POST with a JSON body at the part of the id behind the app: `/` for `owner/app`.
    """
    endpoint, now = _endpoint(endpoint_id), timezone.now()
    try:
        entry = pasted.paste(
            request.auth.team, endpoint, request.body, person=request.auth.user, now=now
        )
    except pasted.PasteRefused as refused:
        raise InvalidDraft({"document": [str(refused)]}) from None
    return _told(entry, request.auth.team_id)


@router.delete(
    "{path:endpoint_id}/document/",
    auth=MANAGES_ROWS,
    response={204: None},
    summary="Use fal's document again",
)
def drop_document(request: ApiRequest, endpoint_id: str) -> Status[None]:
    """Use fal's document again; without one that was set nothing happens."""
    pasted.use_fals(request.auth.team, _endpoint(endpoint_id), person=request.auth.user)
    return Status(204, None)


@router.get(
    "{path:endpoint_id}/",
    auth=READS_ROWS,
    response={200: EndpointOut},
    summary="Read an endpoint",
)
def read(request: ApiRequest, endpoint_id: str) -> dict[str, Any]:
    """Its title, category, fields and input schema, from fal's document or one that the team has set, and its
    price: fetched if unknown.
    """
    return _told(store.get(_endpoint(endpoint_id), request.auth.team), request.auth.team_id)


def _told(entry: store.Entry, team_id: int) -> dict[str, Any]:
    document = entry.known.document if entry.known else None
    metadata = document.metadata if document else {}
    return {
        "endpoint_id": entry.endpoint_id,
        "title": document.title if document else "",
        "category": str(metadata.get("category") or ""),
        "description": str(metadata.get("about") or ""),
        "fields": [_field(field) for field in entry.known.fields] if entry.known else [],
        "input_schema": document.input_schema() if document else None,
        "price": price_facts(EndpointId.parse(entry.endpoint_id), team_id),
        "problem": entry.problem,
        "pasted_by": entry.pasted_by,
        "pasted_at": entry.pasted_at,
    }


def _endpoint(endpoint_id: str) -> EndpointId:
    try:
        return EndpointId.parse(endpoint_id)
    except InvalidEndpointId:
        raise Http404 from None


def price_facts(endpoint: EndpointId, team_id: int) -> dict[str, Any]:
    """Return the price as `PriceOut` has it."""
    price = price_of(endpoint, team_id=team_id)
    names = (
        "state",
        "unit",
        "currency",
        "estimate_currency",
        "problem",
        "estimate_problem",
        "read_at",
    )
    return {
        **{name: getattr(price, name) for name in names},
        "unit_price": price.unit_price,
        "estimate_per_call": price.estimate,
    }


def _field(field: Field) -> dict[str, Any]:
    has_default = field.default is not MISSING
    return {
        "name": field.name,
        "path": field.path,
        "kind": field.kind,
        "title": field.title,
        "description": field.help,
        "required": field.required,
        "nullable": field.nullable,
        "has_default": has_default,
        "default": field.default if has_default else None,
        "choices": list(field.choices),
        "minimum": field.bounds.minimum,
        "maximum": field.bounds.maximum,
        "step": field.bounds.step,
        "hint": field.hint,
        "group": field.group,
        "fields": [_field(inner) for inner in field.fields],
        "item": _field(field.item) if field.item else None,
    }

"""Presets for programs: the paths under /api/v1/presets/."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from requests_app.api.accepted import NewRequest, NoNulText, no_nul
from requests_app.api.auth import MANAGES, MANAGES_ROWS, READS, READS_ROWS, ApiRequest
from requests_app.api.body import member_text
from requests_app.api.exact import JsonText
from requests_app.api.schemas import JsonObject, ModeWord
from requests_app.forms.preset import NAME_LENGTH, draft_of
from requests_app.models import ApiToken, Preset, PresetVersion
from requests_app.presets import saving
from requests_app.presets.fitting import marked
from requests_app.presets.template import InvalidTemplate, Template
from requests_app.request_input import InvalidDraft

router = Router(tags=["presets"])

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH, strict=True),
    AfterValidator(no_nul),
]


class NewPreset(NewRequest):
    """A preset to save: a request's fields and a name. Strings of the input may have `{{variables}}`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "portrait",
                "endpoint_id": "fal-ai/flux/dev",
                "input": {"prompt": "a portrait of {{subject}}", "seed": "{{seed}}"},
            }
        },
    )

    name: Name

    def options(self) -> dict[str, Any]:
        """Return the platform options that were given."""
        return {name: value for name, value in super().options().items() if name != "name"}


class NewName(Schema, extra="forbid"):
    """Another name for a preset."""

    name: Name


class Restored(Schema, extra="forbid"):
    """The number of an earlier version."""

    version: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]


class PresetFilters(Schema):
    """Filters of the list, by endpoint and name."""

    model_config = ConfigDict(extra="forbid")

    endpoint_id: Annotated[NoNulText | None, Field(max_length=300)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 200
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0


class PresetOut(Schema):
    """A preset without its input."""

    id: UUID
    name: str
    endpoint_id: str
    mode: Literal["queue", "run", "stream"]
    version: int
    saved_by: str | None
    saved_at: datetime
    misfits: list[str] = Field(description="what the endpoint's changed schema no longer takes")

    @staticmethod
    def resolve_id(preset: Preset) -> UUID:
        return preset.public_id

    @staticmethod
    def resolve_saved_by(preset: Preset | PresetVersion) -> str | None:
        return preset.saved_by.get_username() if preset.saved_by else None


class VersionOut(Schema):
    """A version of a preset: its input as it was written, digit for digit, and its variables."""

    version: int
    mode: ModeWord
    input: JsonObject
    variables: list[str]
    options: dict[str, Any]
    saved_by: str | None
    saved_at: datetime

    @staticmethod
    def resolve_version(one: Preset | PresetVersion) -> int:
        return one.version if isinstance(one, Preset) else one.number

    @staticmethod
    def resolve_input(one: Preset | PresetVersion) -> JsonText:
        return JsonText(one.text)

    @staticmethod
    def resolve_variables(one: Preset | PresetVersion) -> list[str]:
        try:
            return list(Template(one.text).names)
        except InvalidTemplate:
            return []

    @staticmethod
    def resolve_saved_by(one: Preset | PresetVersion) -> str | None:
        return one.saved_by.get_username() if one.saved_by else None


class PresetDetail(PresetOut, VersionOut):  # type: ignore[misc]
    """A preset with its newest input; `versions`: the numbers of all versions there are, newest first."""

    versions: list[int]

    @staticmethod
    def resolve_versions(preset: Preset) -> list[int]:
        return [preset.version, *preset.versions.values_list("number", flat=True)]


class PresetPage(Schema):
    """Presets, by endpoint and name; `next_offset` is null at the end."""

    items: list[PresetOut]
    next_offset: int | None


@router.get(
    "",
    auth=READS_ROWS,
    response={200: PresetPage},
    summary="List presets",
)
def list_presets(request: ApiRequest, filters: Query[PresetFilters]) -> dict[str, Any]:
    """The team's presets. `misfits` is empty for a member who may not see inputs."""
    found = shelf(request.auth).defer("text").order_by("endpoint_id", "name", "id")
    if filters.endpoint_id:
        found = found.filter(endpoint_id=filters.endpoint_id)
    end = filters.offset + filters.limit
    items = list(found[filters.offset : end + 1])
    if request.auth.sees:
        items = marked(request.auth.team, items)
    more = len(items) > filters.limit
    return {"items": items[: filters.limit], "next_offset": end if more else None}


@router.post(
    "",
    auth=MANAGES,
    response={201: PresetDetail, 200: PresetDetail},
    summary="Save a preset",
)
def save(request: ApiRequest, payload: NewPreset) -> Status[Preset]:
    """Save a preset (201), or the next version of the one of this endpoint that has the name (200).

    Saving what is saved already makes no version.
    """
    draft = draft_of(
        endpoint_id=payload.endpoint_id,
        mode=payload.mode,
        input=member_text(request, "input"),
        options=payload.options(),
    )
    preset, is_new = _kept(
        saving.save,
        team=request.auth.team, person=request.auth.user, now=timezone.now(), name=payload.name,
        endpoint_id=draft.endpoint_id, text=draft.input_text, mode=draft.mode, options=draft.options,
    )  # fmt: skip
    return Status(201 if is_new else 200, preset)


@router.get("{id}/", auth=READS, response={200: PresetDetail}, summary="Read a preset")
def read(request: ApiRequest, id: str) -> Preset:
    """The preset with its newest input."""
    return get_or_404(request.auth, id)


@router.get(
    "{id}/versions/{number}/",
    auth=READS,
    response={200: VersionOut},
    summary="Read a version of a preset",
)
def read_version(request: ApiRequest, id: str, number: str) -> Preset | PresetVersion:
    """A version, the newest included."""
    preset = get_or_404(request.auth, id)
    return preset if number == str(preset.version) else _version_or_404(preset, number)


@router.post(
    "{id}/restore/",
    auth=MANAGES,
    response={200: PresetDetail},
    summary="Restore a version",
)
def restore(request: ApiRequest, id: str, payload: Restored) -> Preset:
    """Make an earlier version the newest again, as a version of its own."""
    preset = get_or_404(request.auth, id)
    if payload.version != preset.version:
        version = _version_or_404(preset, str(payload.version))
        saving.restore(preset, version, person=request.auth.user, now=timezone.now())
    return get_or_404(request.auth, id)


@router.post(
    "{id}/rename/",
    auth=MANAGES,
    response={200: PresetDetail},
    summary="Rename a preset",
)
def rename(request: ApiRequest, id: str, payload: NewName) -> Preset:
    """Give it another name; its versions stay."""
    _kept(saving.rename, get_or_404(request.auth, id), payload.name)
    return get_or_404(request.auth, id)


@router.delete(
    "{id}/",
    auth=MANAGES_ROWS,
    response={204: None},
    summary="Delete a preset",
)
def delete(request: ApiRequest, id: str) -> Status[None]:
    """Delete it with all its versions."""
    saving.delete(_found_or_404(request.auth, id))
    return Status(204, None)


def shelf(token: ApiToken) -> QuerySet[Preset]:
    """Return the presets of the token's team."""
    return Preset.objects.inputs().filter(team=token.team_id).select_related("saved_by")


def get_or_404(token: ApiToken, preset_id: str) -> Preset:
    """Return the team's preset with `misfits`; see below."""
    return marked(token.team, [_found_or_404(token, preset_id)])[0]


def _found_or_404(token: ApiToken, preset_id: str) -> Preset:
    """Return the team's preset; a foreign, an unknown and a malformed id raise the same Http404."""
    try:
        return shelf(token).get(public_id=UUID(preset_id))
    except (ValueError, Preset.DoesNotExist):
        raise Http404 from None


def _version_or_404(preset: Preset, number: str) -> PresetVersion:
    if not (number.isdecimal() and len(number) < 10):
        raise Http404
    found = preset.versions.select_related("saved_by").filter(number=int(number)).first()
    if found is None:
        raise Http404
    return found


def _kept(act: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return act(*args, **kwargs)
    except saving.PresetRefused as refused:
        raise InvalidDraft({"name": [str(refused)]}) from None

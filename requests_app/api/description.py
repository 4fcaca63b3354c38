"""The OpenAPI document: what every operation may answer is written once here, behind what ninja makes of each.

`docs/openapi.json` is this document as a file; `make openapi` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Literal

from ninja import Schema
from pydantic import create_model
from pydantic.json_schema import models_json_schema

from requests_app.api.schemas import (
    WORDS,
    FieldProblems,
    FrameOut,
    LogLineOut,
    ObservationOut,
    Problem,
    RequestDetail,
    RequestOut,
)

Json = dict[str, Any]

_PREFIX = "#/components/schemas/"
_RATE = {
    "RateLimit-Limit": "Calls a minute that the token may make.",
    "RateLimit-Remaining": "Calls that are left now.",
    "RateLimit-Reset": "Seconds until all of them are there again.",
}
_HEADERS: Json = {
    **{
        name: {"description": text, "schema": {"type": "integer", "minimum": 0}}
        for name, text in _RATE.items()
    },
    "Retry-After": {
        "description": "Seconds after which the call may be repeated.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Location": {
        "description": "The path of what was made.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "WWW-Authenticate": {"description": "`Bearer`", "schema": {"type": "string"}},
}


def _refusal(sentence: str, schema: type[Schema], *headers: str) -> Json:
    return {
        "description": sentence,
        "headers": _named(*headers),
        "content": {"application/json": {"schema": {"$ref": f"{_PREFIX}{schema.__name__}"}}},
    }


def _named(*headers: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


# Code -> its name among the components, and what it says.
_REFUSALS: dict[str, tuple[str, Json]] = {
    "400": ("UnreadableBody", _refusal("The body cannot be read.", FieldProblems, *_RATE)),
    "401": (
        "NoToken",
        _refusal("No token, or one that is not valid.", Problem, "WWW-Authenticate"),
    ),
    "403": (
        "NotAllowed",
        _refusal("The token, or its user's role, does not allow it.", Problem, *_RATE),
    ),
    "404": ("NotFound", _refusal("There is no such thing in the token's team.", Problem, *_RATE)),
    "413": ("TooLarge", _refusal("The body, or the file, is too large.", Problem, *_RATE)),
    "422": ("Invalid", _refusal("Each field that is not right.", FieldProblems, *_RATE)),
    "429": (
        "TooMany",
        _refusal("Too many calls, waits, or open requests.", Problem, *_RATE, "Retry-After"),
    ),
    "503": (
        "Unavailable",
        _refusal("Try again; nothing was done.", Problem, *_RATE, "Retry-After"),
    ),
}
_SAID = {
    "200": "Done, or what was asked for.",
    "201": "Made.",
    "202": "Taken; it is done afterwards.",
    "204": "Done.",
    "206": "The part that was asked for.",
    "304": "The caller has it already.",
    "409": "Not in its present state.",
    "410": "There is no file now.",
    "416": "There is no such part.",
    "502": "fal did not take it.",
}
_ALWAYS = {"401", "403", "422", "429", "503"}
_EVENTS = {"status": ObservationOut, "log": LogLineOut, "frame": FrameOut, "end": RequestOut}
_TAGS = {
    "requests": "Submit, read, follow and act on requests.",
    "endpoints": "What is known of an endpoint, and a check of an input.",
    "presets": "Inputs with variables, kept in versions.",
    "batches": "One input over many rows.",
    "bulk": "One action on many requests.",
    "errors": "Failures that are alike.",
    "overview": "Figures of many requests.",
    "notices": "What is told to a team's channels.",
    "forwarding": "What is sent on to a team's own programs.",
    "deliveries": "Webhooks as they came from fal.",
    "exports": "Files that a worker writes.",
    "uploads": "Where to send a file.",
    "me": "The token.",
}


def complete(document: Json) -> None:
    """Add to ninja's document, in place, and take out what says nothing."""
    document["servers"] = [{"url": "/", "description": "The site that serves this document."}]
    document["tags"] = [{"name": name, "description": text} for name, text in _TAGS.items()]
    paths: Json = deepcopy(document["paths"])
    schemas: Json = {**deepcopy(document["components"]["schemas"]), **_own_schemas()}
    for path, operations in paths.items():
        for method, operation in operations.items():
            operation["responses"] = _replies(path, method, operation["responses"])
            if any(parameter["name"] == "wait" for parameter in operation["parameters"]):
                _tell_of_waits(operation["responses"])
            for parameter in operation["parameters"]:
                _plain(parameter)
    for part in (schemas, paths):
        _name_words(part, schemas)
    for schema in schemas.values():
        if "enum" in schema and "description" in schema:
            schema["description"] = schema["description"].partition("\n\n")[0]
    _tell_defaults(schemas)
    _drop_titles(paths)
    _drop_titles(schemas)
    document["paths"] = paths
    document["components"] = {
        "schemas": _used(schemas, paths),
        "responses": dict(_REFUSALS.values()),
        "headers": deepcopy(_HEADERS),
        "securitySchemes": document["components"]["securitySchemes"],
    }


def _replies(path: str, method: str, own: Json) -> Json:
    """Return an operation's replies by code: its own, and the refusals that it may answer with."""
    replies = {str(code): reply for code, reply in own.items()}
    for code, reply in replies.items():
        made = ["Location"] if code == "201" else []
        reply |= {"description": _SAID[code], "headers": _named(*_RATE, *made)}
    codes = _ALWAYS | ({"404"} if "{" in path else set())
    codes |= {"400", "413"} if method != "get" else set()
    shared = {code: {"$ref": f"#/components/responses/{_REFUSALS[code][0]}"} for code in codes}
    return dict(sorted({**replies, **shared}.items()))


def _tell_of_waits(replies: Json) -> None:
    """A reply that has waited is the whole request, whatever the reply is else."""
    both = [{"$ref": f"{_PREFIX}{model.__name__}"} for model in (RequestDetail, RequestOut)]
    for code in {"200", "201"} & set(replies):
        content = replies[code]["content"]["application/json"]
        if content["schema"] == both[1]:
            content["schema"] = {"anyOf": both}


def _plain(parameter: Json) -> None:
    """Say once what it is, and that it is left out rather than null."""
    schema = parameter["schema"]
    schema.pop("description", None)
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema |= kinds[0]


def _own_schemas() -> Json:
    """Return the schemas of refusals, and of the events that no reply is as a whole."""
    models: list[Any] = []
    for name, data in _EVENTS.items():
        fields: Json = {"event": (Literal[name], ...), "id": (str, ...), "data": (data, ...)}
        told = f"A `{name}` event: its name, its id and its data, which is JSON."
        models.append(
            create_model(f"{name.capitalize()}Event", __base__=Schema, __doc__=told, **fields)
        )
    wanted: list[Any] = [(model, "serialization") for model in (FieldProblems, Problem, *models)]
    _, made = models_json_schema(wanted, ref_template=f"{_PREFIX}{{model}}")
    names = {name: f"{name.capitalize()}Event" for name in _EVENTS}
    references = {name: f"{_PREFIX}{model}" for name, model in names.items()}
    union = {
        "description": "An event of `GET requests/{id}/events/`.",
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "event", "mapping": references},
    }
    return {**made["$defs"], "RequestEvent": union}


def _name_words(part: Any, schemas: Json) -> None:
    """Make one schema of each list of words that has a name, and refer to it."""
    for place in list(_objects(part)):
        name = place.pop(WORDS, "")
        if name:
            schemas.setdefault(name, {"type": "string", "enum": place["enum"]})
        elif "enum" in place:
            name = place.get("title", "")  # ninja writes the words of a query out
        known = schemas.get(name, place)
        if known is place or known.get("enum") != place["enum"]:
            continue
        told_there = ["description"] if place.get("description") == known.get("description") else []
        for key in ("enum", "type", "title", *told_there):
            place.pop(key, None)
        place["$ref"] = f"{_PREFIX}{name}"


def _tell_defaults(schemas: Json) -> None:
    """Tell a member's default in words: generators take one that has a default for one that is always there."""
    members = (one for schema in schemas.values() for one in schema.get("properties", {}).values())
    for member in members:
        default = member.pop("default", None)
        if default not in (None, "", [], {}):
            told = [member["description"].rstrip(".")] if "description" in member else []
            member["description"] = ". ".join([*told, f"Default: `{json.dumps(default)}`."])


def _drop_titles(part: Json) -> None:
    """Titles are made of names, which say the same."""
    for place in list(_objects(part)):
        if isinstance(place.get("title"), str):
            place.pop("title")


def _used(schemas: Json, paths: Json) -> Json:
    """Return the schemas that something refers to, by name."""
    wanted, waiting = set(), ["RequestEvent", "FieldProblems", "Problem", *_references(paths)]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += _references(schemas[name])
    return {name: schemas[name] for name in sorted(wanted)}


def _references(part: Any) -> list[str]:
    found = (place.get("$ref", "") for place in _objects(part))
    return [one.removeprefix(_PREFIX) for one in found if str(one).startswith(_PREFIX)]


def _objects(part: Any) -> Iterator[Json]:
    """Yield every object within, the outermost first."""
    if isinstance(part, dict):
        yield part
    for inner in (
        part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    ):
        yield from _objects(inner)

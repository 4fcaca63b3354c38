"""Presets that a newer document of their endpoint has broken.

A preset fits when the present document accepts what the document of the time when it was saved accepted. So
one that leaves a required field to its user is not broken, and one whose field has gone is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Q

from requests_app.catalogue import store
from requests_app.catalogue.changes import gone
from requests_app.models import Endpoint, EndpointDocument, Preset, Team, TeamEndpoint
from requests_app.presets.template import InvalidTemplate, Template

MOST_TOLD = 5  # sentences of one preset
REMEMBERED = 2000  # judgements kept in this process
Versions = list[tuple[datetime, str]]  # when first seen, digest; oldest first


def broken(team: Team, presets: Iterable[Preset]) -> dict[int, tuple[str, ...]]:
    """Return primary key -> what no longer fits, for those presets of the team that are broken."""
    doubtful = list(_doubtful(team, list(presets)))
    judged = (
        (preset, _judged(preset.public_id, preset.version, *pair)) for preset, *pair in doubtful
    )
    return {preset.pk: sentences for preset, sentences in judged if sentences}


def marked(team: Team, presets: Iterable[Preset]) -> list[Preset]:
    """Give each preset `misfits`: what of it its endpoint's present document refuses."""
    found = list(presets)
    misfits = broken(team, found)
    for one in found:
        one.misfits = misfits.get(one.pk, ())
    return found


def _doubtful(team: Team, presets: list[Preset]) -> Iterator[tuple[Preset, str, str]]:
    """Yield those saved under another document than the present one, with both digests."""
    present = _present(team, {preset.endpoint_id for preset in presets})
    versions = _versions(team, present)
    for preset in presets:
        now = present.get(preset.endpoint_id)
        if now is not None:
            then = _at(versions[preset.endpoint_id], preset.saved_at)
            if then != now:
                yield preset, then, now


def _present(team: Team, names: set[str]) -> dict[str, str]:
    """Return the digest of each endpoint's document; one that the team has pasted comes first."""
    fals = Endpoint.objects.filter(endpoint_id__in=names, document__isnull=False)
    pasted = TeamEndpoint.objects.filter(team=team, endpoint_id__in=names, document__isnull=False)
    columns = ("endpoint_id", "document__digest")
    return {**dict(fals.values_list(*columns)), **dict(pasted.values_list(*columns))}


def _versions(team: Team, names: Iterable[str]) -> dict[str, Versions]:
    mine = Q(team=None) | Q(team=team)
    kept = EndpointDocument.objects.filter(mine, endpoint_id__in=list(names))
    found: dict[str, Versions] = defaultdict(list)
    for name, at, digest in kept.order_by("first_seen_at", "pk").values_list(
        "endpoint_id", "first_seen_at", "digest"
    ):
        found[name].append((at, digest))
    return found


def _at(versions: Versions, moment: datetime) -> str:
    """Return the document of that moment; the first one for a preset that is older."""
    earlier = [digest for at, digest in versions if at <= moment]
    return earlier[-1] if earlier else versions[0][1]


@lru_cache(maxsize=REMEMBERED)
def _judged(public_id: UUID, version: int, then: str, now: str) -> tuple[str, ...]:
    """Compare once: neither a version nor a document with these bytes changes."""
    row = Preset.objects.filter(public_id=public_id, version=version)
    found = row.values_list("text", "endpoint_id").first()
    if found is None:
        return ()
    text, name = found
    return tuple(_problems(text, store.parsed(then, name), store.parsed(now, name)))


def _problems(text: str, then: store.Known, now: store.Known) -> list[str]:
    try:
        value = json.loads(text)
        template = Template(text)
    except (ValueError, RecursionError, InvalidTemplate):  # saved before a rule became stricter
        return []
    lost = sorted(path for path in gone(then.fields, now.fields) if _sets(value, path))
    before = {problem.path for problem in then.validator.problems(value)}
    found = [f"{_name(path)} is gone" for path in lost]
    for problem in now.validator.problems(value):
        if problem.path not in before and template.name_at(problem.path) is None:
            found.append(f"{_name(problem.path)}: {problem.message.rstrip('.')}")
    more = len(found) - MOST_TOLD
    return [*found[:MOST_TOLD], *([f"{more} more"] if more > 0 else [])]


def _sets(value: Any, path: str) -> bool:
    """Whether the input has a value at this path, in which `*` stands for any item."""
    nodes = [value]
    for part in path.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        nodes = [inner for node in nodes for inner in _inside(node, name)]
    return bool(nodes)


def _inside(node: Any, name: str) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node.values() if name == "*" else [node[name]] if name in node else []
    elif isinstance(node, list) and name == "*":
        yield from node


def _name(path: str) -> str:
    return f"field {path[1:]}" if path else "the input"

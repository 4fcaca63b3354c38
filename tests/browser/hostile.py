"""A team in whose every text stands a payload, made in the process of an installation that does not serve yet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgpack
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.catalogue import pasted
from requests_app.fal import Result
from requests_app.fal.endpoints import EndpointId
from requests_app.fal.reports import LogEntry
from requests_app.models import (
    ApiToken,
    AuditAct,
    AuditEntry,
    Batch,
    BatchItem,
    BulkItem,
    Delivery,
    ErrorGroup,
    Export,
    FalKey,
    FalRequest,
    Frame,
    Membership,
    Notice,
    NoticeChannel,
    NoticeRule,
    Preset,
    SavedView,
    Tag,
    Tagging,
    Team,
    Use,
)
from tests.browser.payloads import PAYLOADS, RAW_JSON
from tests.builders import hear, make_queued, make_status
from tests.catalogue.documents import whole
from tests.isolation.estate import Estate
from tests.isolation.pages import ROUTES, address, queries
from tests.isolation.rights import READS

ROWS = 5  # of each kind; each has its share of the payloads
SHARE = -(-len(PAYLOADS) // ROWS)
LEFT_OUT = {"account_logout", "openid_connect_login", "openid_connect_callback", "metrics", "join"}


def fill() -> str:
    """Make it; return as JSON who owns it and every address that shows it."""
    estate = Estate("navy", 7)
    rows = [row for number in range(ROWS) for row in _rows(estate, number)]
    for number, share in enumerate(_shares()):
        _evidence(estate, rows, number, share)
    _names(estate)
    _document(estate)
    _overwrite(estate)
    pages = [f"/requests/{row.public_id}/" for row in rows]
    fragments = [f"{page}{part}/" for page in pages for part in ("peek", "live", "logs", "frames")]
    ids = ",".join(str(row.public_id) for row in rows)
    pair = "&id=".join(str(row.public_id) for row in rows[:4])
    return json.dumps({
        "user": estate.owner.username, "team": estate.team.pk, "rows": pages, "fragments": fragments, "routes": routes(estate),
        "lists": [f"/requests/rows/?ids={ids}", f"/requests/compare/?id={pair}", "/requests/gallery/tiles/"],
    })  # fmt: skip


def _shares() -> Iterator[tuple[str, ...]]:
    for number in range(ROWS):
        yield PAYLOADS[number * SHARE : (number + 1) * SHARE]


def routes(estate: Estate) -> dict[str, list[str]]:
    """Every route that is read, by its name, with all that its address may be asked with."""
    found = {}
    for name in READS:
        if name in ROUTES and name not in LEFT_OUT:
            place = address(name, estate)
            found[name] = [place, *(f"{place}{query}" for query in queries(name, estate, estate))]
    return found


def _rows(estate: Estate, number: int) -> list[FalRequest]:
    """A share as an answer, as a failure, as a stream, as a session, and as an answer that is no JSON."""
    share = PAYLOADS[number * SHARE : (number + 1) * SHARE]
    made: dict[str, Any] = {
        "team": estate.team,
        "person": estate.owner,
        "endpoint_id": estate.endpoint_id,
    }
    made["input"] = {
        "prompt": " ".join(share)[:300],
        "list": share,
        **{one or "empty": one for one in share},
    }
    rows = [
        make_queued(f"{number}-{kind}", mode=kind, **made) for kind in ("queue", "run", "stream")
    ]
    answer, failure, stream = rows
    hear(
        answer,
        make_status("IN_PROGRESS", logs=tuple(LogEntry(one, one, one, one) for one in share)),
    )
    body = RAW_JSON if number == ROWS - 1 else _output(share)
    hear(answer, Result(200, {}, "application/json", body, None))
    wrong = [{"loc": ["body", one], "msg": one, "type": one, "ctx": {one: one}} for one in share]
    said = json.dumps(
        {"detail": wrong if number % 2 else " ".join(share), "error_type": share[1]}
    ).encode()
    hear(failure, Result(422, {"x-fal-error-type": share[1]}, "application/json", said, None))
    other = share[number % len(share)]
    hear(stream, Result(200, {}, other, " ".join(share).encode(), None))
    session = FalRequest.objects.create(
        team=estate.team, person=estate.owner, endpoint_id=estate.endpoint_id, mode="realtime", status="completed",
        input_text="{}", options={}, created_at=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip
    return [*rows, session]


def _output(share: tuple[str, ...]) -> bytes:
    media = [{"url": one, "content_type": one, "file_name": one, "width": one} for one in share]
    output = {
        "images": media,
        "text": " ".join(share),
        "seed": share[0],
        **{one: one for one in share},
    }
    return json.dumps(output).encode()


def _evidence(estate: Estate, rows: list[FalRequest], number: int, share: tuple[str, ...]) -> None:
    """What lies around the rows: frames, deliveries, notes, tags, and columns past their checks."""
    now = timezone.now()
    mine = rows[number * 4 : number * 4 + 4]
    values = {
        "error": " ".join(share), "error_type": share[1][:80], "output_type": share[2][:200],
        "fal_request_id": share[3][:200], "gateway_request_id": share[4][:200], "status_url": share[5],
        "thumbnail_url": share[6][:2000], "seed": share[7][:24], "billable_units": share[8][:40],
        "cancel_answer": share[9][:20], "metrics": {one: one for one in share},
    }  # fmt: skip
    FalRequest.objects.filter(pk=mine[1].pk).update(**values)
    for row in mine[2:]:
        kind = "event" if row.mode == "stream" else "text"
        Frame.objects.bulk_create(
            Frame(
                request=row, number=n, offset_ms=n, data=json.dumps({one: [one, {"url": one}]}) if n % 2 else one,
                event=one[:100], event_id=one[:200], kind=kind, size=9,
                direction="out" if n % 3 == 0 else "in",
            )
            for n, one in enumerate(share, 1)
        )  # fmt: skip
        # Out of its time, which an imported run may be.
        packed = msgpack.packb({"all": list(share), "b": b"<x-trap>"})
        more = {"kind": "msgpack", "raw": packed, "data": json.dumps({"all": share})}
        Frame.objects.create(request=row, number=len(share) + 1, offset_ms=1, size=9, **more)
    text = " ".join(share)
    for row in mine:
        lifecycle.add_note(row.pk, text[:900].replace("\x00", ""), person=estate.owner, now=now)
        Delivery.objects.create(
            request=row, team=estate.team, received_at=now, verdict="foreign_account", note=text,
            headers={one: one for one in share}, body=text.encode(), body_size=9, digest="d",
        )  # fmt: skip
        for one in share[:6]:
            tag, _ = Tag.objects.get_or_create(
                team=estate.team, key=one[:300], defaults={"name": one[:300]}
            )
            Tagging.objects.create(team=estate.team, tag=tag, request=row)


def _names(estate: Estate) -> None:
    """Everything that has a name. Tokens, members and keys share one page, and so the payloads between them."""
    team, owner = estate.team, estate.owner
    names = list(dict.fromkeys(one[:58] for one in PAYLOADS))
    mine: dict[str, Any] = {
        "team": team,
        "endpoint_id": estate.endpoint_id,
        "text": "{}",
        "saved_by": owner,
    }
    Preset.objects.bulk_create(Preset(name=f"{n}{one}", **mine) for n, one in enumerate(names))
    Preset.objects.bulk_create(
        Preset(name=f"{n}{one}", use=Use.MESSAGE, **mine) for n, one in enumerate(names[:99])
    )
    SavedView.objects.bulk_create(
        SavedView(team=team, owner=owner, name=one, query=one, is_shared=True)
        for one in names[::6]
        if one
    )
    _settings(estate, names)
    _notices(estate, names)
    _trail_and_errors(estate)


def _settings(estate: Estate, names: list[str]) -> None:
    now, team, owner = timezone.now(), estate.team, estate.owner
    ApiToken.objects.bulk_create(
        ApiToken(
            user=owner,
            team=team,
            name=one,
            digest=f"digest-{n}",
            last_used_from=one[:50],
            last_used_at=now,
        )
        for n, one in enumerate(names[::3])
    )
    FalKey.objects.bulk_create(
        FalKey(
            team=team, name=f"{n}{one}"[:60], pattern=one[:300], created_at=now, changed_at=now, last_error=one,
            last_error_at=now,
        )
        for n, one in enumerate(names[1::3])
    )  # fmt: skip
    users = User.objects.bulk_create(
        User(username=f"{one}{n}"[:150], email=f"{one}@x"[:254])
        for n, one in enumerate(names[2::3])
    )
    Membership.objects.bulk_create(
        Membership(team=team, user=user, role="viewer") for user in users
    )
    for one in names[::40]:
        Membership.objects.create(
            team=Team.objects.create(name=one or "x"), user=owner, role="owner"
        )


def _trail_and_errors(estate: Estate) -> None:
    now, team = timezone.now(), estate.team
    AuditEntry.objects.bulk_create(
        AuditEntry(
            chain=team.pk, at=now, act=AuditAct.SETTING_CHANGED, actor=" ".join(share)[:160], token=share[0][:80],
            address=share[1][:64], kind=share[2][:24], object_id=share[3][:64], label=" ".join(share)[:300],
            details=json.dumps({"before": {one: one for one in share}, "after": share, "why": share[4]}),
        )
        for share in _shares()
    )  # fmt: skip
    ErrorGroup.objects.bulk_create(
        ErrorGroup(
            team=team, key=1000 + n, endpoint_id=estate.endpoint_id, sentence=one[:320], error_type=one[:80],
            first_seen=now, last_seen=now, count=1,
        )
        for n, one in enumerate(PAYLOADS)
    )  # fmt: skip


def _notices(estate: Estate, names: list[str]) -> None:
    now, team = timezone.now(), estate.team
    channels = NoticeChannel.objects.bulk_create(
        NoticeChannel(
            team=team, kind="email", name=f"{n}{one}"[:60], encrypted="x", shown=one, disabled_why=one,
            disabled_at=now, created_at=now,
        )
        for n, one in enumerate(names[::4])
    )  # fmt: skip
    NoticeRule.objects.bulk_create(
        NoticeRule(
            team=team,
            channel=channel,
            event="failed",
            since=now,
            pattern=one[:300],
            error_type=one[:80],
        )
        for channel, one in zip(channels, names[1::4], strict=False)
    )
    Notice.objects.bulk_create(
        Notice(
            team=team, rule_words=" ".join(share)[:300], channel_name=share[0][:60], answer=" ".join(share)[:300],
            state="failed", created_at=now, ended_at=now,
        )
        for share in _shares()
    )  # fmt: skip


def _document(estate: Estate) -> None:
    """The team's own document: titles, descriptions, names, choices, examples and defaults are payloads."""
    fields: dict[str, Any] = {}
    for n, (one, other) in enumerate(zip(PAYLOADS[::2], PAYLOADS[1::2], strict=False)):
        kinds = (
            {"type": "string", "enum": [one, other], "default": one},
            {"type": "string", "examples": [one, other], "pattern": one[:40]},
            {"type": "array", "items": {"type": "string", "title": one}},
            {"type": "object", "properties": {one or "x": {"type": "string", "description": one}}},
        )
        fields[f"f{n}" if n % 2 else one or "empty"] = {
            "title": one,
            "description": other,
            **kinds[n % 4],
        }
    given = {
        "type": "object",
        "properties": fields,
        "title": PAYLOADS[0],
        "description": PAYLOADS[1],
    }
    made = whole({"In": given, "Out": {"type": "object", "properties": fields}}, estate.endpoint_id)
    made["info"]["title"] = made["info"]["description"] = PAYLOADS[2]
    raw = json.dumps(made).encode()
    endpoint = EndpointId.parse(estate.endpoint_id)
    pasted.paste(estate.team, endpoint, raw, person=estate.owner, now=timezone.now())


def _overwrite(estate: Estate) -> None:
    """The team's single things of the estate, whose pages the routes lead to."""
    text = " ".join(PAYLOADS).replace("\x00", "")
    Team.objects.filter(pk=estate.team.pk).update(name=PAYLOADS[11][:80])
    Batch.objects.filter(team=estate.team).update(
        name=PAYLOADS[21][:80], note=text[:300], columns=[one[:80] for one in PAYLOADS[:40]],
        text=json.dumps({"prompt": text[:5000]}), state="paused",
    )  # fmt: skip
    values = "\n".join(json.dumps(one) for one in PAYLOADS[:40])
    BatchItem.objects.filter(batch=estate.batch).update(values=values)
    BulkItem.objects.filter(bulk=estate.bulk).update(note=text[:300])
    estate.bulk.search, estate.bulk.reason, estate.bulk.note = (
        text[:900],
        text[900:1200],
        text[1200:1500],
    )
    estate.bulk.state = "stopped"
    estate.bulk.save()
    Export.objects.filter(team=estate.team).update(search=text[:2000], note=text[2000:2300])
    inner = json.dumps({one: one for one in PAYLOADS})
    Preset.objects.filter(pk__in=[estate.preset.pk, estate.message.pk]).update(text=inner)
    ErrorGroup.objects.filter(pk=estate.group.pk).update(sentence=text[:320], error_type=text[:80])

"""Write the index's entries; called by the lifecycle in the transaction that writes the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from django.db import connection
from django.db.models import Exists, F, OuterRef, Window
from django.db.models.functions import RowNumber, Substr

from requests_app.models import ENDED, FalRequest, LogLine, SearchEntry, Tagging
from requests_app.rules.storable import storable_text
from requests_app.search.documents import LIVE, PARSED, Facts, words_for

MOST_LINES = 300  # of a log: the last ones, which say how it ended
MOST_OF_A_LINE = 2000  # characters

_TABLE = SearchEntry._meta.db_table
_STATEMENTS = {
    "sqlite": f"INSERT OR REPLACE INTO {_TABLE} (rowid, words) VALUES (%s, %s)",  # noqa: S608  # nosec B608  # a table of ours
    "postgresql": f"INSERT INTO {_TABLE} (rowid, words) VALUES (%s, %s::tsvector) "  # noqa: S608  # nosec B608  # a table of ours
    "ON CONFLICT (rowid) DO UPDATE SET words = EXCLUDED.words",
}
MOST_POSITIONS = 255  # of one word that PostgreSQL keeps
LAST_POSITION = 16383


def write_entries(pks: Collection[int]) -> None:
    """Index these rows anew, as they are in this transaction."""
    if not pks:
        return
    found = FalRequest.objects.filter(pk__in=pks).annotate(
        # One character more than is parsed tells that there is more.
        input_start=Substr("input_text", 1, PARSED + 1),
        output_start=Substr("output", 1, PARSED + 1),
        is_tagged=Exists(Tagging.objects.filter(request=OuterRef("pk"))),
    )
    rows = list(found.values(*_COLUMNS))
    ended = [row["pk"] for row in rows if row["ended_at"]]
    logs = dict(_logs(ended)) if ended else {}  # those of a live row are written at its end
    tagged = [row["pk"] for row in rows if row["is_tagged"]]
    tags = dict(_tags(tagged)) if tagged else {}
    write_facts(
        (row["pk"], _facts(row, logs.get(row["pk"], ()), tags.get(row["pk"], ()))) for row in rows
    )


def write_first_entries(rows: Sequence[FalRequest]) -> None:
    """Index rows that the caller has just inserted, whole and as they are in memory: nothing is read again."""
    if not rows:
        return
    tags = dict(_tags([row.pk for row in rows]))
    write_facts((row.pk, facts_of(row, _texts_of(row), (), tags.get(row.pk, ()))) for row in rows)


def _texts_of(row: FalRequest) -> dict[str, object]:
    return {"input_start": row.input_text[: PARSED + 1], "output_start": None}


def write_facts(facts: Iterable[tuple[int, Facts]]) -> None:
    """Write the entry of each key."""
    spelt = _as_tsvector if connection.vendor == "postgresql" else " ".join
    values = [(pk, spelt(words_for(one))) for pk, one in facts]
    if values:
        with connection.cursor() as cursor:
            cursor.executemany(_STATEMENTS[connection.vendor], values)


_COLUMNS = (
    "pk", "team_id", "endpoint_id", "mode", "person_id", "public_id", "fal_request_id", "gateway_request_id",
    "status", "created_at", "ended_at", "cost", "origin", "seed", "error", "error_type", "media_kinds",
    "input_start", "output_start",
    "is_tagged",
)  # fmt: skip


def _facts(row: dict[str, object], logs: tuple[str, ...], tags: tuple[str, ...]) -> Facts:
    return facts_of(FalRequest(**{name: row[name] for name in _COLUMNS[1:-3]}), row, logs, tags)


def facts_of(
    row: FalRequest,
    texts: dict[str, object],
    logs: tuple[str, ...],
    tags: tuple[str, ...] = (),
) -> Facts:
    """Return what is indexed of a row, whose input and output are in `texts`."""
    return Facts(
        team=row.team_id,
        endpoint_id=row.endpoint_id,
        mode=row.mode,
        person=row.person_id,
        ids=(row.public_id.hex, row.fal_request_id, row.gateway_request_id),
        state=row.status if row.status in ENDED else LIVE,
        took=row.duration,
        cost=row.cost,
        origin=row.origin or "",
        seed=row.seed or "",
        input_text=str(texts["input_start"] or ""),
        output=_text(texts["output_start"]),
        errors=(row.error, row.error_type),
        logs=logs,
        tags=tags,
        has=tuple((row.media_kinds or "").split()),
    )


def _text(body: object) -> str:
    return bytes(body).decode("utf-8", "replace") if body else ""  # type: ignore[call-overload]


def _logs(pks: Collection[int]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the last log lines of the rows that have any."""
    number = Window(RowNumber(), partition_by=F("request_id"), order_by=F("id").desc())
    lines = LogLine.objects.filter(request__in=pks).annotate(number=number)
    lines = lines.filter(number__lte=MOST_LINES).order_by("request_id", "number")
    found = lines.values_list("request_id", Substr("message", 1, MOST_OF_A_LINE))
    for pk, group in groupby(found, key=itemgetter(0)):
        yield pk, tuple(message for _, message in group)


def _tags(pks: Collection[int]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the tags of the rows that have any."""
    found = Tagging.objects.filter(request__in=pks).order_by("request_id", "pk")
    for pk, group in groupby(found.values_list("request_id", "tag__key"), key=itemgetter(0)):
        yield pk, tuple(key for _, key in group)


def _as_tsvector(words: list[str]) -> str:
    """Spell a `tsvector`: each word with its positions."""
    places: dict[str, list[int]] = {}
    for position, word in enumerate(words, 1):
        places.setdefault(storable_text(word), []).append(min(position, LAST_POSITION))
    return " ".join(
        f"'{word}':{','.join(map(str, found[:MOST_POSITIONS]))}" for word, found in places.items()
    )

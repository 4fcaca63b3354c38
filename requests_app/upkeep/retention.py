"""Retention: delete data of ended requests after the number of days that the team has set.

There are three kinds, each with its own days: the payload (input, output, logs, webhook bodies), the
frames of streams and sessions, and whole rows with all their evidence. Input and values of a batch go as
long after its end as its requests' inputs go after theirs. Thumbnails go with the
payload, and so do own copies of media that no other request needs. Live and uncertain
requests, and batches that have not ended, are never touched.

Where the team has chosen so, fal is asked as well to delete what it keeps of requests whose payload, or whole row, goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Sum
from django.db.models.functions import Length

from requests_app import audit, lifecycle
from requests_app.batches.removing import remove_values
from requests_app.copies import files as copies
from requests_app.error_groups.linking import uncount
from requests_app.export.jobs import withdraw
from requests_app.models import ENDED, AuditAct, Batch, BatchItem, FalRequest, Frame, Team
from requests_app.models.batch import BatchQuerySet
from requests_app.models.request import FalRequestQuerySet as Rows
from requests_app.thumbnails.states import forget

BATCH = 50  # rows deleted in one transaction: a stream may have 100,000 frames


class RetentionKind(StrEnum):
    """What is removed, in this order; the team's column is `<kind>_days`."""

    ROWS = "rows"
    PAYLOAD = "payload"
    FRAMES = "frames"


COPIES = "copies"  # of media, with rows and with payload
VALUES = "values"  # the kind of what goes of batches, last


_COUNTED = {VALUES: ("batch", "batches"), COPIES: ("file", "files")}


@dataclass(frozen=True)
class Share:
    """Expired data of a team: of `count` requests, or batches, about `size` bytes without the evidence."""

    team: Team
    kind: str
    days: int
    count: int
    size: int
    oldest: datetime | None = None  # end of the oldest request, in a plan
    at_fal: int = 0  # requests of which fal is asked to delete what it keeps

    @property
    def what(self) -> str:
        """What is counted."""
        one, many = _COUNTED.get(self.kind, ("request", "requests"))
        return one if self.count == 1 else many


def set_days(team: Team, days: dict[RetentionKind, int | None]) -> None:
    """Store for how long the team keeps these kinds; None: for ever. Nothing is removed yet."""
    with transaction.atomic():
        stored = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        for kind, wanted in days.items():
            before = getattr(stored, f"{kind}_days")
            if before == wanted:
                continue
            on = audit.Noted(
                "setting",
                "",
                f"days for which {kind} are kept",
                {"before": before, "after": wanted},
            )
            audit.note(AuditAct.SETTING_CHANGED, on, team_id=team.pk)
            setattr(stored, f"{kind}_days", wanted)
        stored.save(update_fields=[f"{kind}_days" for kind in days])


def set_at_fal(team: Team, *, is_on: bool) -> None:
    """Store whether fal is asked to delete what it keeps of what is removed from now on."""
    with transaction.atomic():
        stored = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        if stored.retention_at_fal == is_on:
            return
        told = {"before": stored.retention_at_fal, "after": is_on}
        on = audit.Noted("setting", "", "retention deletes at fal too", told)
        audit.note(AuditAct.SETTING_CHANGED, on, team_id=team.pk)
        stored.retention_at_fal = is_on
        stored.save(update_fields=["retention_at_fal"])


def plan(now: datetime, teams: list[Team]) -> list[Share]:
    """Return what `prune` would remove now, without changing anything."""
    shares = [_share(team, kind, days, now) for team, kind, days in _rules(teams)]
    media = [_share_of_copies(*rule, now) for rule in _rules(teams)]
    shares += [share for share in media if share.count]
    return shares + [_share_of_values(team, days, now) for team, days in _value_rules(teams)]


def prune(now: datetime, teams: list[Team]) -> Iterator[Share]:
    """Remove expired data rule by rule; after an interruption the next call continues."""
    for team, kind, days in _rules(teams):
        share, media = _share(team, kind, days, now), _share_of_copies(team, kind, days, now)
        removed = replace(share, count=_REMOVERS[kind](_due(team, kind, now), team, days, now))
        _audit(removed)
        yield from (removed, media) if media.count else (removed,)
    for team, days in _value_rules(teams):
        share = _share_of_values(team, days, now)
        removed = replace(share, count=_remove_values(_due_batches(team, days, now), days, now))
        _audit(removed)
        yield removed


def remove_piece(team: Team, now: datetime, reached: dict[str, str]) -> Share | None:
    """Remove some of what is due; None when nothing is. `reached` is moved on: no piece starts over."""
    for _, kind, days in _rules([team]):
        due = _due(team, kind, now)
        if kind in reached:
            due = due.filter(ended_at__gte=datetime.fromisoformat(reached[kind]))
        found = list(due.order_by("ended_at").values_list("pk", "ended_at")[:BATCH])
        piece = FalRequest.objects.filter(pk__in=[pk for pk, _ in found])
        size, at_fal = (_size(piece, kind), _at_fal(piece, team, kind)) if found else (0, 0)
        if found and (count := _REMOVERS[kind](piece, team, days, now)):
            reached[kind] = (found[-1][1] or now).isoformat()
            return Share(team, kind, days, count, size, at_fal=at_fal)
    for _, days in _value_rules([team]):
        some = list(_due_batches(team, days, now).values_list("pk", flat=True)[:1])
        if some and (count := _remove_values(Batch.objects.filter(pk__in=some), days, now)):
            return Share(team, VALUES, days, count, 0)
    return None


def _audit(share: Share) -> None:
    if share.count:
        told = {"older_than_days": share.days, "count": share.count}
        if share.at_fal:
            told["at_fal"] = share.at_fal
        on = audit.Noted("retention", "", f"{share.kind} of {share.what}", told)
        audit.note(AuditAct.PRUNED, on, team_id=share.team.pk)


def _rules(teams: list[Team]) -> Iterator[tuple[Team, RetentionKind, int]]:
    for team in teams:
        for kind in RetentionKind:
            days = getattr(team, f"{kind}_days")
            if days is not None:
                yield team, kind, days


def _value_rules(teams: list[Team]) -> Iterator[tuple[Team, int]]:
    for team in teams:
        days = [days for days in (team.payload_days, team.rows_days) if days is not None]
        if days:
            yield team, min(days)


def _due(team: Team, kind: RetentionKind, now: datetime) -> Rows:
    """Return rows with expired data; rows that expire as a whole count only for `RetentionKind.ROWS`."""
    ended = FalRequest.objects.filter(team=team, status__in=ENDED)
    ended = ended.filter(ended_at__lt=now - timedelta(days=getattr(team, f"{kind}_days")))
    if kind == RetentionKind.ROWS:
        return ended
    if team.rows_days is not None:
        ended = ended.filter(ended_at__gte=now - timedelta(days=team.rows_days))
    if kind == RetentionKind.PAYLOAD:
        return ended.filter(payload_removed_at=None)
    has_frames = Exists(Frame.objects.filter(request=OuterRef("pk")))
    return ended.filter(has_frames, frames_removed_at=None)


def _share(team: Team, kind: RetentionKind, days: int, now: datetime) -> Share:
    due = _due(team, kind, now)
    oldest = due.aggregate(oldest=Min("ended_at"))["oldest"]
    size, at_fal = _size(due, kind), _at_fal(due, team, kind)
    return Share(team, kind, days, due.count(), size, oldest, at_fal)


def _at_fal(due: Rows, team: Team, kind: RetentionKind) -> int:
    """Count those of which fal is asked to delete what it keeps. It keeps no frames of its own."""
    if not team.retention_at_fal or kind == RetentionKind.FRAMES:
        return 0
    return lifecycle.askable(due).count()


def _share_of_copies(team: Team, kind: RetentionKind, days: int, now: datetime) -> Share:
    """Return the kept media that no other request needs."""
    if kind == RetentionKind.FRAMES:
        return Share(team, COPIES, days, 0, 0)
    return Share(team, COPIES, days, *copies.alone_with(_due(team, kind, now)))


def _due_batches(team: Team, days: int, now: datetime) -> BatchQuerySet:
    return Batch.objects.filter(team=team).ended_with_values(now - timedelta(days=days))


def _share_of_values(team: Team, days: int, now: datetime) -> Share:
    due = _due_batches(team, days, now)
    texts = due.aggregate(sum=Sum(Length("text")))["sum"] or 0
    items = BatchItem.objects.filter(batch__in=due.values("pk"))
    values = items.aggregate(sum=Sum(Length("values")))["sum"] or 0
    return Share(team, VALUES, days, due.count(), texts + values)


def _size(due: Rows, kind: RetentionKind) -> int:
    frames = Frame.objects.filter(request__in=due).aggregate(sum=Sum("size"))["sum"] or 0
    texts = due.aggregate(input=Sum(Length("input_text")), output=Sum("output_size"))
    payload = (texts["input"] or 0) + (texts["output"] or 0)
    return int(
        {
            RetentionKind.FRAMES: frames,
            RetentionKind.PAYLOAD: payload,
            RetentionKind.ROWS: frames + payload,
        }[kind]
    )


def _remove_rows(due: Rows, team: Team, days: int, now: datetime) -> int:
    keys = list(due.values_list("pk", flat=True))
    pieces = (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))
    return sum(remove_rows(piece, now, at_fal=team.retention_at_fal) for piece in pieces)


def remove_rows(keys: list[int], now: datetime, *, at_fal: bool = False) -> int:
    """Delete some requests with all evidence, thumbnails and copies; return how many there were.

    `at_fal`: fal is asked as well, but for what it has deleted already.
    """
    forget(keys)
    batch = FalRequest.objects.filter(pk__in=keys)
    for team in batch.values_list("team", flat=True).distinct():
        withdraw(team)
    with transaction.atomic():
        lifecycle.empty_elsewhere(keys)
        asked = list(lifecycle.askable(batch.without_payload())) if at_fal else []
        lifecycle.forget_fal_deletions(list(batch.values_list("public_id", flat=True)))
        for row in asked:
            lifecycle.ask_fal_to_delete(row, now=now)
        copies.forget(keys, now)
        uncount(keys)
        _, by_model = batch.only("pk").delete()
    return by_model[FalRequest._meta.label]


def _remove_payload(due: Rows, team: Team, days: int, now: datetime) -> int:
    keys, at_fal = list(due.values_list("pk", flat=True)), team.retention_at_fal
    return sum(lifecycle.remove_payload(pk, days=days, now=now, at_fal=at_fal) for pk in keys)


def _remove_frames(due: Rows, team: Team, days: int, now: datetime) -> int:
    keys = list(due.values_list("pk", flat=True))
    return sum(lifecycle.remove_frames(pk, days=days, now=now) for pk in keys)


def _remove_values(due: BatchQuerySet, days: int, now: datetime) -> int:
    keys = list(due.values_list("pk", flat=True))
    return sum(remove_values(pk, before=now - timedelta(days=days)) for pk in keys)


_REMOVERS: dict[RetentionKind, Callable[[Rows, Team, int, datetime], int]] = {
    RetentionKind.ROWS: _remove_rows,
    RetentionKind.PAYLOAD: _remove_payload,
    RetentionKind.FRAMES: _remove_frames,
}

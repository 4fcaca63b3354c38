"""Tags and stars. A change of tags is in the request's history; a star is a user's own and is not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from requests_app.lifecycle.writing import locked, record
from requests_app.models import FalRequest, Source, Star, Tag, Tagging
from requests_app.request_input import InvalidDraft
from requests_app.rules.tag_names import MOST_TAGS, BadTags, pairs_of, tag_key

MOST_OF_A_TEAM = 2000  # different tags: what is offered, and reported, stays readable


def add_tags(
    pk: int, names: Sequence[str], *, person: AbstractBaseUser, now: datetime
) -> list[str]:
    """Put tags on a request; return those it did not have. Raises BadTags when they become too many.

    `names` are as `rules.tag_names` returns them.
    """
    with transaction.atomic():
        row = locked(pk)
        has = own_tags(row.pk)
        added = [name for name in names if name not in has]
        if len(has) + len(added) > MOST_TAGS:
            raise BadTags(f"A request has at most {MOST_TAGS} tags; it has {len(has)}.")
        if added:
            _link(row, added, is_fals=False)
            _tell(row, f"tagged it {', '.join(added)}", {"added": added}, person, now)
        return added


def remove_tags(
    pk: int, names: Collection[str], *, person: AbstractBaseUser, now: datetime
) -> list[str]:
    """Take tags off a request; return those it had. What went to fal stays."""
    with transaction.atomic():
        row = locked(pk)
        taken = [name for name in own_tags(row.pk) if name in names]
        if taken:
            Tagging.objects.filter(request=row, tag__key__in=taken, tag__is_fals=False).delete()
            _tell(row, f"took the tag {', '.join(taken)} off", {"removed": taken}, person, now)
        return taken


def set_star(pk: int, *, person: AbstractBaseUser, is_on: bool) -> bool:
    """Star a request for this user, or take the star off; return whether anything changed."""
    if is_on:
        _, is_new = Star.objects.get_or_create(user_id=person.pk, request_id=pk)
        return is_new
    return bool(Star.objects.filter(user_id=person.pk, request_id=pk).delete()[0])


def own_tags(pk: int) -> list[str]:
    """Return the team's tags of a request, in the order they were put on."""
    own = Tagging.objects.filter(request=pk, tag__is_fals=False).order_by("pk")
    return list(own.values_list("tag__key", flat=True))


def link_first_tags(row: FalRequest, names: Sequence[str]) -> None:
    """Tag a new request, before its first observation: with these, and with what fal is told.

    Raises InvalidDraft.
    """
    if names:
        try:
            _link(row, names, is_fals=False)
        except BadTags as error:
            raise InvalidDraft({"own_tags": [str(error)]}) from None
    if pairs := pairs_of(row.options):
        _link(row, pairs, is_fals=True)


def _link(row: FalRequest, names: Sequence[str], *, is_fals: bool) -> None:
    keys = {tag_key(name): name for name in sorted(names)}  # in one order: no deadlock
    mine = Tag.objects.filter(team=row.team_id, is_fals=is_fals)
    known = dict(mine.filter(key__in=keys).values_list("key", "pk"))
    if missing := [key for key in keys if key not in known]:
        if not is_fals and _used(mine) + len(missing) > MOST_OF_A_TEAM:
            raise BadTags(f"A team has at most {MOST_OF_A_TEAM:,} different tags.")
        # Of two transactions that add the same name, one waits and finds it there.
        Tag.objects.bulk_create(
            (Tag(team_id=row.team_id, name=keys[key], key=key, is_fals=is_fals) for key in missing),
            ignore_conflicts=True,
        )
        known = dict(mine.filter(key__in=keys).values_list("key", "pk"))
    Tagging.objects.bulk_create(
        (Tagging(team_id=row.team_id, request=row, tag_id=known[key]) for key in keys),
        ignore_conflicts=True,
    )


def _used(tags: QuerySet[Tag]) -> int:
    return tags.filter(Exists(Tagging.objects.filter(tag=OuterRef("pk")))).count()


def _tell(
    row: FalRequest, what: str, data: dict[str, list[str]], person: AbstractBaseUser, now: datetime
) -> None:
    who = person.get_username()
    record(
        row,
        row.status,
        "tagged",
        f"{who} {what}.",
        Source.PERSON,
        at=now,
        data={"person": who, **data},
    )

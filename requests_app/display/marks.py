"""What a list shows of a request beside its columns: tags, and whether the user has starred it."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery

from requests_app.models import Delivery, FalRequest, Star, Tag, Tagging
from requests_app.models.request import FalRequestQuerySet

OFFERED = 200  # tags that a field proposes


def with_tags(rows: FalRequestQuerySet) -> FalRequestQuerySet:
    """Load the tags of these rows, in one query: see `tags_of`."""
    taggings = Tagging.objects.select_related("tag").order_by("pk")
    return rows.prefetch_related(Prefetch("taggings", taggings, to_attr="shown_taggings"))


def for_rows(rows: FalRequestQuerySet) -> FalRequestQuerySet:
    """Load what a row of the list shows of others: person, key, tags, and the newest webhook's verdict."""
    newest = Delivery.objects.filter(request=OuterRef("pk")).order_by("-pk").values("verdict")[:1]
    loaded = with_tags(rows.select_related("person", "fal_key").without_payload())
    return loaded.annotate(webhook_verdict=Subquery(newest))


def with_star(rows: FalRequestQuerySet, user_pk: int | None) -> FalRequestQuerySet:
    """Add `is_starred`: by this user."""
    return rows.annotate(
        is_starred=Exists(Star.objects.filter(user=user_pk, request=OuterRef("pk")))
    )


def tags_of(row: FalRequest) -> list[Tag]:
    """Return the row's tags, its team's own and then what fal was told."""
    taggings = getattr(row, "shown_taggings", None)
    if taggings is None and row.pk is None:
        return []
    if taggings is None:
        taggings = row.taggings.select_related("tag").order_by("pk")
    return sorted((one.tag for one in taggings), key=lambda tag: tag.is_fals)


def own_names(row: FalRequest) -> list[str]:
    """Return the names of the team's own tags of a row."""
    return [tag.name for tag in tags_of(row) if not tag.is_fals]


def offered(team_pk: int) -> QuerySet[Tag, str]:
    """Return the names of the team's own tags that are in use."""
    used = Exists(Tagging.objects.filter(tag=OuterRef("pk")))
    mine = Tag.objects.filter(used, team=team_pk, is_fals=False)
    return mine.order_by("key").values_list("name", flat=True)[:OFFERED]

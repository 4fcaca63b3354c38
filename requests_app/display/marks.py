"""What a list shows of a request beside its columns: tags, and whether the user has starred it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, Expression, OuterRef, Prefetch, QuerySet, Subquery

from requests_app.models import Delivery, FalRequest, Star, Tag, Tagging
from requests_app.models.request import FalRequestQuerySet

# What templatetags.rows reads, and concealment
OF_ROWS = (
    "public_id", "team", "person__username", "fal_key__name", "endpoint_id", "mode", "origin", "summary", "seed",
    "status", "seq", "queue_position", "tries", "cancel_asked_at", "fal_request_id", "error", "error_type", "error_code",
    "output_size", "billable_units", "cost", "cost_currency", "cost_due_at", "cost_problem", "thumbnail_url",
    "created_at", "accepted_at", "started_at", "started_at_is_derived", "ended_at", "payload_removed_at",
)  # fmt: skip
OFFERED = 200  # tags that a field proposes


def with_tags(rows: FalRequestQuerySet) -> FalRequestQuerySet:
    """Load the tags of these rows, in one query: see `tags_of`."""
    taggings = Tagging.objects.select_related("tag").order_by("pk")
    return rows.prefetch_related(Prefetch("taggings", taggings, to_attr="shown_taggings"))


def for_rows(rows: FalRequestQuerySet, pictures: Iterable[str]) -> FalRequestQuerySet:
    """Load what a row of the list shows, and nothing else: half of a request's columns, for fifty at a time.

    Of others: person, key, the newest webhook's verdict, and these columns of the thumbnail.
    """
    newest = Delivery.objects.filter(request=OuterRef("pk")).order_by("-pk").values("verdict")[:1]
    loaded = rows.select_related("person", "fal_key", "thumbnail")
    return loaded.annotate(webhook_verdict=Subquery(newest)).only(*OF_ROWS, *pictures)


def with_star(rows: FalRequestQuerySet, user_pk: int | Expression) -> FalRequestQuerySet:
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

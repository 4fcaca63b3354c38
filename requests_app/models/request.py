"""One request to fal, from the moment the form is sent; kept for ever."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, F, Func, OuterRef, Q, Value

from requests_app.models.concealment import conceal
from requests_app.models.cost import CostState
from requests_app.models.duration import Took
from requests_app.models.error_type import ErrorType
from requests_app.models.team import Membership, Team


class Status(models.TextChoices):
    """The status of a request.

    ::

        pending ─▶ submitting ─┬▶ in_queue ◀─▶ in_progress ─┬▶ completed
           │                   ├▶ uncertain ─(fal answers)─▶├▶ failed
           │                   └▶ failed (refused)          └▶ cancelled
           └▶ cancelled (never sent)

    Live states may go backwards, as fal's do; ended states never change.
    """

    PENDING = "pending", "pending"
    SUBMITTING = "submitting", "submitting"
    UNCERTAIN = "uncertain", "uncertain"
    IN_QUEUE = "in_queue", "in queue"
    IN_PROGRESS = "in_progress", "in progress"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


NOT_THE_USERS = frozenset(
    {ErrorType.RESULT_EXPIRED, ErrorType.LOST_AT_FAL}
)  # a 404 that we or fal caused
# Key, balance or permission; fal's limits; a caller that hung up: 4xx that are not the input's
# fault.
NOT_THE_INPUTS = frozenset({401, 403, 408, 429, 499})
ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
LIVE = frozenset(set(Status) - ENDED)
FAILING_FROM = 3  # failures in a row, from which on they are shown
AT_FAL = frozenset({Status.IN_QUEUE, Status.IN_PROGRESS})


class Mode(models.TextChoices):
    """How fal is called."""

    QUEUE = "queue", "Queue"
    RUN = "run", "Run"
    STREAM = "stream", "Stream"
    REALTIME = "realtime", "Realtime"


class RequestOrigin(models.TextChoices):
    """How a request came to be. Unknown of requests from before it was stored."""

    PAGE = "page", "page"
    API = "api", "API"
    GATEWAY = "gateway", "own code"
    BATCH = "batch", "batch"
    AGAIN = "again", "run again"  # by whatever way
    IMPORTED = "imported", "imported"  # from a run's file: nothing was sent, see ImportedRun


SUBMITTABLE = (Mode.QUEUE, Mode.RUN, Mode.STREAM)  # by a form or an API call; sessions are opened


# As the index has it: SQLite must read the status in the query's own text to use that.
UNGROUPED = Q(status=Status.FAILED, error_key__isnull=True)
_LOST = Q(status=Status.UNCERTAIN) | Q(
    status=Status.FAILED, error_type=ErrorType.GIVEN_UP, fal_request_id=""
)


def blames_input(error_type: str, error_code: int | None) -> bool:
    """Whether a failure with these means that the request itself was invalid."""
    code = error_code or 0
    is_users = 400 <= code < 500 and code not in NOT_THE_INPUTS
    return is_users and error_type not in NOT_THE_USERS


def _sees(user_pk: int | None) -> Exists:
    return Exists(Membership.objects.seeing(user_pk).filter(team=OuterRef("team")))


class FalRequestQuerySet(models.QuerySet["FalRequest"]):
    """Queries for rows."""

    def live(self) -> FalRequestQuerySet:
        """Not ended yet."""
        return self.filter(status__in=LIVE, ended_at__isnull=True)

    def made_here(self) -> FalRequestQuerySet:
        """Without imported runs: they ran elsewhere, at other times, and figures and notices are not of them."""
        return self.exclude(origin=RequestOrigin.IMPORTED)

    def submitted(self) -> FalRequestQuerySet:
        """By a form or the API: no realtime sessions, which have no input to submit again."""
        return self.filter(mode__in=SUBMITTABLE)

    def lost(self) -> FalRequestQuerySet:
        """Sent, with fal's id unknown (see `FalRequest.is_lost`)."""
        return self.filter(_LOST)

    def due(self, now: datetime) -> FalRequestQuerySet:
        """Rows whose next step is due and that no process has leased."""
        return self.filter(due_at__lte=now).filter(Q(leased_until=None) | Q(leased_until__lt=now))

    def ungrouped(self) -> FalRequestQuerySet:
        """Failed here, without the key of a group."""
        failed = Func(template=f"'{Status.FAILED.value}'", output_field=models.CharField())
        found = self.filter(status=failed, error_key__isnull=True)
        return found.made_here()

    def failing(self) -> FalRequestQuerySet:
        """Open and lost rows whose last steps, three or more, have all failed."""
        failed = self.filter(due_at__isnull=False, tries__gte=FAILING_FROM)
        return failed.filter(Q(status__in=LIVE) | _LOST)

    def take_lease(self, pk: int, now: datetime, length: timedelta) -> uuid.UUID | None:
        """Lease a due row: return the lease's token, or None if another process was first.

        The row is due again when the lease expires; an earlier `due_at` means a request for a step
        meanwhile.
        """
        token, until = uuid.uuid4(), now + length
        taken = self.due(now).filter(pk=pk).update(leased_until=until, due_at=until, lease=token)
        return token if taken else None

    def take_leases(
        self, pks: Collection[int], now: datetime, length: timedelta
    ) -> list[FalRequest]:
        """Lease those of the rows that are due, as `take_lease` does; return them with their new lease.

        One token for all: every check names the row as well. Call it in a transaction, on a queryset that is
        limited to the columns that are wanted.
        """
        token, until = uuid.uuid4(), now + length
        skips = connection.features.has_select_for_update_skip_locked
        due = self.due(now).filter(pk__in=pks).select_for_update(skip_locked=skips)
        rows = list(
            due.order_by("pk")
        )  # in one order, so that two processes cannot block each other
        taken = FalRequest.objects.filter(pk__in=[row.pk for row in rows])
        taken.update(leased_until=until, due_at=until, lease=token)
        for row in rows:
            row.leased_until, row.due_at, row.lease = until, until, token
        return rows

    def shown_to(self, *, sees: bool) -> FalRequestQuerySet:
        """Rows of one team, without inputs and outputs unless its member sees them."""
        hidden = models.BooleanField()
        return self if sees else self.annotate(is_hidden=Value(not sees, output_field=hidden))  # type: ignore[no-redef]

    def read_by(self, user_pk: int | None) -> FalRequestQuerySet:
        """Rows of any team, each without input and output unless this user sees those of its team."""
        return self.annotate(is_hidden=~_sees(user_pk))  # type: ignore[no-redef]

    def without_payload(self) -> FalRequestQuerySet:
        """Leave out the columns that can be large; for lists."""
        return self.defer("input_text", "output", "search_text", "media")


class FalRequest(models.Model):
    """A request as we know it. Only `lifecycle` writes `status` and its related columns."""

    # Who and what
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="requests")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="fal_requests"
    )
    again_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="repeats"
    )
    origin = models.CharField(max_length=8, choices=RequestOrigin.choices, null=True, blank=True)  # noqa: DJ001
    endpoint_id = models.CharField(max_length=300)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.QUEUE)
    input_text = models.TextField()  # JSON, exactly the text that is sent
    options = models.JSONField(default=dict)  # platform options, see fal.headers
    summary = models.CharField(max_length=200, blank=True)
    seed = models.CharField(max_length=24, null=True, blank=True)  # noqa: DJ001 (fal's, else the input's)
    # Of versions before the index: written no more, emptied by search.history.
    search_text = models.TextField(blank=True)
    # of the call: see rules.same_input
    input_digest = models.CharField(max_length=64, blank=True, default="", db_default="")

    # Status
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    seq = models.BigIntegerField(default=0)  # the newest observation's id: the row's version
    # when the newest answer was asked for
    observed_at = models.DateTimeField(null=True, blank=True)
    queue_position = models.IntegerField(null=True, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    cancel_answer = models.CharField(max_length=20, blank=True)  # CancelAnswer.kind

    # Identity at fal
    fal_request_id = models.CharField(max_length=200, blank=True)
    gateway_request_id = models.CharField(max_length=200, blank=True)
    status_url = models.TextField(blank=True)
    response_url = models.TextField(blank=True)
    cancel_url = models.TextField(blank=True)
    webhook_digest = models.CharField(max_length=64, blank=True)  # of the secret in the URL
    # with which it was sent; none: the installation's own
    fal_key = models.ForeignKey(
        "FalKey", on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    # Output
    metrics = models.JSONField(default=dict)
    output = models.BinaryField(
        null=True, blank=True
    )  # the raw bytes as fal sent them; see OutputPart
    output_type = models.CharField(max_length=200, blank=True)
    output_size = models.BigIntegerField(default=0)
    # as fal told them with the result
    billable_units = models.CharField(max_length=40, blank=True, default="", db_default="")
    # The units at fal's price, nine places, so that SQLite's numbers hold it exactly. All null, so that
    # SQLite need not copy the table to add them.
    cost = models.DecimalField(max_digits=15, decimal_places=9, null=True, blank=True)
    cost_currency = models.CharField(max_length=10, null=True, blank=True)  # noqa: DJ001
    cost_due_at = models.DateTimeField(null=True, blank=True)  # when fal's price is asked for next
    cost_problem = models.CharField(max_length=8, null=True, blank=True)  # noqa: DJ001 (CostProblem)
    thumbnail_url = models.TextField(blank=True)
    # what the output holds to look at, see display.kept_media; none without any
    media_kinds = models.CharField(max_length=24, null=True, blank=True)  # noqa: DJ001
    media = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)  # a sentence
    error_type = models.CharField(max_length=80, blank=True)
    error_code = models.IntegerField(null=True, blank=True)  # HTTP status
    # of its group of errors, once it has failed: see rules.error_sentence
    error_key = models.BigIntegerField(null=True, blank=True)

    # Times
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    started_at_is_derived = models.BooleanField(default=False)  # from fal's inference time
    finished_at = models.DateTimeField(null=True, blank=True)  # when fal reported COMPLETED
    ended_at = models.DateTimeField(null=True, blank=True)
    payload_removed_at = models.DateTimeField(null=True, blank=True)  # by the team's retention
    frames_removed_at = models.DateTimeField(null=True, blank=True)

    # Work: the sweep takes rows whose due_at has passed; a lease keeps other processes away
    due_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    tries = models.IntegerField(default=0)  # of the present step, for its back-off
    # a page is following it: poll fal at the quick pace
    watched_until = models.DateTimeField(null=True, blank=True)

    objects = FalRequestQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["team", "-id"], name="list_all"),
            models.Index(fields=["team", "status", "-id"], name="list_by_status"),
            models.Index(fields=["team", "endpoint_id", "-id"], name="list_by_endpoint"),
            models.Index(fields=["team", "created_at"], name="list_by_time"),
            models.Index(
                fields=["team", "-id"],
                name="list_with_media",
                condition=Q(media_kinds__isnull=False),
            ),
            models.Index(
                F("team"),
                Took(),
                F("id"),
                name="list_by_duration",
                condition=Q(ended_at__isnull=False),
            ),
            models.Index(
                fields=["team", "cost", "id"],
                name="list_by_cost",
                condition=Q(cost__isnull=False),
            ),
            models.Index(
                fields=["team", "fal_key", "-id"],
                name="list_by_key",
                condition=Q(fal_key__isnull=False),
            ),
            models.Index(fields=["team", "seq"], name="changes_since"),
            # What has ended lately and how, from the index alone: rules of notices ask all the time.
            models.Index(
                fields=["team", "ended_at", "status"],
                name="ended_by_time",
                condition=Q(ended_at__isnull=False),
            ),
            models.Index(fields=["team", "input_digest", "ended_at"], name="same_inputs"),
            models.Index(
                fields=["team", "error_key", "-id"],
                name="list_by_error",
                condition=Q(error_key__isnull=False),
            ),
            # Of what moves alone, so that they stay small. SQLite uses them for queries that have the
            # condition word for word: ~Q(due_at=None) would be another.
            models.Index(fields=["due_at"], name="due_requests", condition=Q(due_at__isnull=False)),
            models.Index(
                fields=["cost_due_at"], name="due_costs", condition=Q(cost_due_at__isnull=False)
            ),
            models.Index(
                fields=["person"], name="open_requests", condition=Q(ended_at__isnull=True)
            ),
            # What failed in an older version: error_groups.history groups it.
            models.Index(fields=["-id"], name="failed_without_group", condition=UNGROUPED),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["fal_request_id"],
                name="one_row_per_fal_request",
                condition=~Q(fal_request_id=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.public_id} ({self.status})"

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_given_up(self) -> bool:
        """A user ended it while its outcome was unknown: what fal did may still become known."""
        return self.status == Status.FAILED and self.error_type == ErrorType.GIVEN_UP

    @property
    def is_lost(self) -> bool:
        """Sent, with fal's id unknown: it may be in fal's list."""
        if self.status == Status.UNCERTAIN:
            return True
        is_unknown = self.is_given_up and not self.fal_request_id
        return is_unknown and self.origin != RequestOrigin.IMPORTED

    @property
    def is_hidden(self) -> bool:
        """Whether it was loaded without its input and output, for a member who may not see them."""
        return "_is_hidden" in self.__dict__

    @is_hidden.setter
    def is_hidden(self, value: bool) -> None:
        if value:
            conceal(self)
            self.__dict__["_is_hidden"] = True

    @property
    def is_cancelling(self) -> bool:
        """A user asked to cancel and fal has not said how it ended."""
        return self.cancel_asked_at is not None and not self.is_ended

    @property
    def was_user_error(self) -> bool:
        """The request itself was invalid (4xx), so repeating it unchanged cannot help."""
        return self.status == Status.FAILED and blames_input(self.error_type, self.error_code)

    @property
    def cost_state(self) -> CostState:
        """Whether the cost is known, may still come, or stays unknown."""
        if self.cost is not None:
            return CostState.KNOWN
        may_come = not self.is_ended or self.cost_due_at is not None
        return CostState.PENDING if may_come else CostState.UNKNOWN

    @property
    def duration(self) -> timedelta | None:
        """From creation to the end; None while it runs."""
        return self.ended_at - self.created_at if self.ended_at else None


class IdempotencyKey(models.Model):
    """A caller's promise that repeating the same call means the same request."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    request = models.ForeignKey(FalRequest, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="one_use_of_a_key")]

    def __str__(self) -> str:
        return self.key

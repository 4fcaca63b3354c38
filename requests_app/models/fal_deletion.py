"""What fal is asked to delete of a request, and what it answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from requests_app.models.fal_key import FalKey
from requests_app.models.team import Team


class FalDeletionState(models.TextChoices):
    """What is known of it. From the first to one of the others, once.

    ::

        waiting ─┬▶ done
                 ├▶ refused      fal said no: the key may not, in most cases
                 ├▶ unknown      fal has nothing under this id
                 └▶ unreachable  no answer in three days
    """

    WAITING = "waiting", "waiting"
    DONE = "done", "deleted"
    REFUSED = "refused", "refused"
    UNKNOWN = "unknown", "unknown to fal"
    UNREACHABLE = "unreachable", "no answer"


ASKED_AGAIN = (FalDeletionState.REFUSED, FalDeletionState.UNREACHABLE)


class FalDeletion(models.Model):
    """Input, output and files that fal keeps of a request are to be deleted there.

    It names its request by ids alone, for it may outlive the row: what is deleted here goes at once, fal may be away.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    public_id = models.UUIDField(unique=True)  # the request's
    endpoint_id = models.CharField(max_length=300)
    fal_request_id = models.CharField(max_length=200)
    fal_key = models.ForeignKey(
        FalKey, on_delete=models.CASCADE, null=True, db_index=False, related_name="+"
    )
    state = models.CharField(
        max_length=11, choices=FalDeletionState.choices, default=FalDeletionState.WAITING
    )
    note = models.CharField(max_length=300, blank=True)  # a sentence: the newest answer or failure
    tries = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], name="due_fal_deletions", condition=Q(due_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"deletion at fal of {self.public_id} ({self.state})"

    @property
    def is_waiting(self) -> bool:
        return self.state == FalDeletionState.WAITING

    @property
    def may_be_asked_again(self) -> bool:
        """Whether another try may end otherwise: with a key that may, or once fal answers."""
        return self.state in ASKED_AGAIN

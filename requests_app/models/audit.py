"""The audit trail: what was done, by whom, to what; entries are only ever added, and sealed in a hash chain."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class AuditAct(models.TextChoices):
    """What an entry is about; the part before the point is its kind."""

    LOGGED_IN = "login.in", "Logged in"
    LOGIN_REFUSED = "login.refused", "Log-in refused"
    LOGIN_THROTTLED = "login.throttled", "Log-in throttled"
    LOGGED_OUT = "login.out", "Logged out"
    ACCOUNT_MADE = "login.make", "Account made"
    ACCOUNT_RENAMED = "login.rename", "Account renamed"
    PASSWORD_CHANGED = "login.password", "Password changed"
    RESET_MAILED = "login.reset_mail", "Reset link mailed"
    RESET_LINK_MADE = "login.reset_link", "Reset link made"
    EMAIL_CHANGED = "login.email", "E-mail address changed"
    SESSION_ENDED = "login.end", "Session ended"
    FACTOR_ADDED = "login.factor_add", "Second factor added"
    FACTOR_REMOVED = "login.factor_remove", "Second factor removed"
    FACTOR_REFUSED = "login.factor_refused", "Second factor refused"
    CODES_MADE = "login.codes_make", "Recovery codes made"
    CODE_USED = "login.code_use", "Recovery code used"
    ACCOUNT_ERASED = "login.erase", "Account deleted"
    DENIED = "access.denied", "Access denied"
    SUBMITTED = "request.submit", "Submitted"
    CANCEL_ASKED = "request.cancel", "Asked to cancel"
    GAVE_UP = "request.give_up", "Gave up waiting"
    PAYLOAD_DELETED = "request.delete_payload", "Payload deleted"
    DELETED_AT_FAL = "request.delete_at_fal", "Deletion at fal"
    REQUEST_DELETED = "request.delete", "Request deleted"
    PRUNED = "request.prune", "Removed by retention"
    EXPORTED = "request.export", "Exported"
    IMPORTED = "request.import", "Imported"
    BULK_STARTED = "bulk.start", "Bulk action started"
    BULK_PAUSED = "bulk.pause", "Bulk action paused"
    BULK_RESUMED = "bulk.resume", "Bulk action resumed"
    BULK_STOPPED = "bulk.stop", "Bulk action stopped"
    BULK_RETRIED = "bulk.retry", "Bulk action retried"
    BATCH_STARTED = "batch.start", "Batch started"
    BATCH_CANCELLED = "batch.cancel", "Batch cancelled"
    BATCH_RETRIED = "batch.retry", "Batch retried"
    KEY_ADDED = "key.add", "fal key added"
    KEY_REPLACED = "key.replace", "fal key replaced"
    KEY_REMOVED = "key.remove", "fal key removed"
    TOKEN_MADE = "token.make", "Token made"
    TOKEN_REVOKED = "token.revoke", "Token revoked"
    JOINED = "team.join", "Joined the team"
    ROLE_CHANGED = "team.role", "Role changed"
    SIGHT_CHANGED = "team.sight", "Sight of inputs and outputs changed"
    REMOVED = "team.remove", "Removed from the team"
    INVITED = "team.invite", "Invited"
    WITHDRAWN = "team.withdraw", "Invitation withdrawn"
    LEFT = "team.leave", "Left the team"
    TRANSFERRED = "team.transfer", "Team handed over"
    TEAM_MADE = "team.make", "Team created"
    TEAM_RENAMED = "team.rename", "Team renamed"
    TEAM_DELETING = "team.delete", "Team deleted"
    TEAM_DELETED = "team.deleted", "Removal of a team finished"
    SETTING_CHANGED = "setting.change", "Setting changed"


class AuditSeal(models.Model):
    """A block of entries that can no longer change unseen: its digest covers them and the seal before.

    A seal stays when retention removes its entries, so that the chain goes on.
    """

    chain = models.BigIntegerField()
    number = models.IntegerField()  # from 1 on, without gaps
    count = models.IntegerField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    last_at = models.DateTimeField()  # of its newest entry
    pruned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "number"], name="one_seal_each")]

    def __str__(self) -> str:
        return f"seal {self.number} of chain {self.chain}"


class AuditEntry(models.Model):
    """One act. Names are kept as they were then, for accounts and rows may go.

    `chain` is the team's key, or 0 for what concerns no team.
    """

    chain = models.BigIntegerField()
    at = models.DateTimeField()
    act = models.CharField(max_length=24, choices=AuditAct.choices)
    actor = models.CharField(max_length=160)  # a username; empty: the server itself
    token = models.CharField(max_length=80, blank=True)  # name of the API token it came with
    address = models.CharField(max_length=64, blank=True)  # network address; empty: not a call
    kind = models.CharField(max_length=24, blank=True)  # of the object: "request", "member", …
    object_id = models.CharField(max_length=64, blank=True)
    label = models.CharField(max_length=300, blank=True)
    details = models.TextField(blank=True)  # JSON with sorted keys: before, after, why, …
    seal = models.ForeignKey(AuditSeal, on_delete=models.PROTECT, null=True, related_name="entries")

    class Meta:
        indexes = [
            models.Index(fields=["chain", "-id"], name="audit_newest"),
            models.Index(fields=["chain", "act", "-id"], name="audit_by_act"),
            models.Index(fields=["chain", "actor", "-id"], name="audit_by_actor"),
            models.Index(fields=["chain", "object_id"], name="audit_by_object"),
            models.Index(fields=["id"], name="audit_unsealed", condition=Q(seal=None)),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor or 'the server'}: {self.act} {self.label}"

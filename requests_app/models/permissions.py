"""Who may do what in a team: one table of roles and acts, which pages, sockets, API and gateway ask.

`Membership.may` and `ApiToken.may` are the ways to it. One right is given person by person: seeing payloads.
"""

from __future__ import annotations

from enum import StrEnum

from django.db import models

HIDDEN = (
    "You may not see inputs and outputs of this team. An owner or admin can change that under Settings, "
    "Members."
)


class Role(models.TextChoices):
    """What a member may do, in one word."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"

    @property
    def may_submit(self) -> bool:
        """Whether it submits, cancels and acts on requests."""
        return allows(self, Right.SUBMIT)


class Right(StrEnum):
    """What the table tells for each role."""

    READ = "read"
    SEE_PAYLOADS = "see_payloads"
    SUBMIT = "submit"
    MANAGE = "manage"
    OWN = "own"

    @property
    def in_words(self) -> str:
        return {
            Right.READ: "See requests: endpoint, status, times, people, tags, cost",
            Right.SEE_PAYLOADS: "See inputs, outputs, logs, events and media",
            Right.SUBMIT: "Submit, cancel, run again, tag; batches, presets, views for all",
            Right.MANAGE: "Members below owner, invitations, fal keys, service tokens, audit, settings",
            Right.OWN: "Make, change and remove owners",
        }[self]


_ALL = frozenset(Role)
# Who may have the right at all; of SEE_PAYLOADS the membership has the last word, but for owners.
TABLE: dict[Right, frozenset[Role]] = {
    Right.READ: _ALL,
    Right.SEE_PAYLOADS: _ALL,
    Right.SUBMIT: frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER}),
    Right.MANAGE: frozenset({Role.OWNER, Role.ADMIN}),
    Right.OWN: frozenset({Role.OWNER}),
}
ALWAYS = frozenset({Role.OWNER})  # see payloads whatever their membership says


def allows(role: str, act: Right, *, sees_payloads: bool = True) -> bool:
    """Whether a member with this role, and this right of their own, may do it."""
    if act is Right.SEE_PAYLOADS and not sees_payloads and role not in ALWAYS:
        return False
    return role in TABLE[act]


def lines() -> list[tuple[str, list[tuple[str, bool, bool]]]]:
    """Return the table as a page shows it: the act, and for each role its name, whether, and whether by member."""
    return [
        (
            act.in_words,
            [
                (
                    role.label,
                    role in TABLE[act],
                    act is Right.SEE_PAYLOADS and role not in ALWAYS,
                )
                for role in Role
            ],
        )
        for act in Right
    ]

"""Whose rows are searched, and what of the index can be used for them. One object for one reply."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from requests_app.models import FalRequest, SearchHistory
from requests_app.models.request import FalRequestQuerySet
from requests_app.search.filters import people_q

FEW = 5000  # rows that are quicker to look at than to look up
MOST_ENDPOINTS = 2000  # different ones of a team that a pattern is compared with
# A row is created at most so long before it has its key: its transaction is over by then.
SLACK = timedelta(minutes=10)


@dataclass
class Scope:
    """A team's rows, and who asks."""

    team: int
    me: str
    sees: bool  # inputs and outputs: else nothing that asks for them matches
    now: datetime = field(default_factory=timezone.now)

    @property
    def rows(self) -> FalRequestQuerySet:
        return FalRequest.objects.filter(team=self.team)

    @cached_property
    def percent(self) -> int:
        """How much of the history the index covers."""
        history = SearchHistory.objects.first()
        return 100 if history is None else min(history.percent, 99)

    @cached_property
    def is_large(self) -> bool:
        """Whether filters, too, are better asked of the index, and the index has all rows."""
        keys = self.rows.order_by("-pk").values_list("pk", flat=True)  # ordered: by the index
        return bool(keys[FEW : FEW + 1]) and self.percent == 100

    @cached_property
    def endpoints(self) -> list[str] | None:
        """Return the team's endpoints, by one step of an index each; None when there are too many."""
        table = FalRequest._meta.db_table
        first = f"SELECT MIN(endpoint_id) FROM {table} WHERE team_id = %s"  # noqa: S608  # nosec B608  # a table of ours
        sql = (
            f"WITH RECURSIVE found(name) AS ({first} UNION ALL "  # noqa: S608  # nosec B608  # a table of ours
            f"SELECT ({first} AND endpoint_id > found.name) FROM found WHERE found.name IS NOT NULL) "
            f"SELECT name FROM found WHERE name IS NOT NULL LIMIT {MOST_ENDPOINTS + 1}"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [self.team, self.team])
            names = [name for (name,) in cursor.fetchall()]
        return names if len(names) <= MOST_ENDPOINTS else None

    def endpoints_like(self, part: str) -> list[str] | None:
        """Return those that one part of an `endpoint:` filter means; None when it cannot be told."""
        name = part.strip("*")
        begins, ends = part.endswith("*"), part.startswith("*")
        anywhere = (begins and ends) or not (begins or ends or "/" in name)
        if not (anywhere or begins or ends):
            return [name, name.lower()] if name != name.lower() else [name]
        if self.endpoints is None:
            return None
        left, right = (
            ("" if begins and not anywhere else ".*"),
            ("" if ends and not anywhere else ".*"),
        )
        pattern = re.compile(f"{left}{re.escape(name)}{right}", re.IGNORECASE | re.DOTALL)
        return [one for one in self.endpoints if pattern.fullmatch(one)]

    def people(self, value: str) -> list[int]:
        """Return the keys of the users that a `by:` filter means."""
        users = get_user_model()._default_manager.filter(people_q(value, self.me, "pk", "username"))
        return list(users.values_list("pk", flat=True))

    def first_after(self, moment: datetime) -> int:
        """Return a key that every row created from then on is above."""
        older = self.rows.filter(created_at__lt=moment - SLACK).order_by("-created_at")
        return older.values_list("pk", flat=True).first() or 0

    def last_before(self, moment: datetime) -> int | None:
        """Return a key that every row created before then is below; None: there is no younger row."""
        younger = self.rows.filter(created_at__gt=moment + SLACK).order_by("created_at")
        return younger.values_list("pk", flat=True).first()

"""Reports of all steps of this process go to the database in groups: polls and receipts together."""

from __future__ import annotations

from requests_app import lifecycle
from requests_app.worker.group_calls import GroupedCall

observe: GroupedCall[lifecycle.RowReport, lifecycle.Heard] = GroupedCall(
    lambda reports: lifecycle.observe_many(reports)
)

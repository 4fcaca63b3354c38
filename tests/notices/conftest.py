"""A team with a channel and rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import ChannelKind, NoticeChannel, NoticeRule, Team
from requests_app.notices import keeping
from requests_app.notices.addresses import parse

MakeRule = Callable[..., NoticeRule]


@pytest.fixture
def channel(team: Team, owner: User) -> NoticeChannel:
    address = parse(ChannelKind.EMAIL, "ops@example.org")
    return keeping.add_channel(
        team, kind="email", name="ops", address=address, by=owner, now=timezone.now()
    )


@pytest.fixture
def make_rule(team: Team, channel: NoticeChannel) -> MakeRule:
    """make_rule("failed", pattern=…): a rule that is on since an hour ago."""

    def make(event: str, **columns: Any) -> NoticeRule:
        since = timezone.now() - timedelta(hours=1)
        return NoticeRule.objects.create(
            team=team, channel=channel, event=event, **{"since": since, **columns}
        )

    return make

"""Add, replace and remove a team's channels and rules; what they may be is judged by the forms."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from requests_app import audit
from requests_app.keys.encryption import encrypt
from requests_app.models import (
    AuditAct,
    ChannelKind,
    Notice,
    NoticeChannel,
    NoticeHours,
    NoticeRule,
    NoticeState,
    Team,
)
from requests_app.notices.addresses import ChannelAddress
from requests_app.notices.words import rule_in_words

MOST_CHANNELS, MOST_RULES = 20, 50  # of a team
TEST_EVERY = timedelta(seconds=10)


class NoticeRefused(Exception):
    """A sentence for the user."""


def add_channel(
    team: Team,
    *,
    kind: str,
    name: str,
    address: ChannelAddress,
    by: AbstractBaseUser,
    now: datetime,
) -> NoticeChannel:
    """Store a channel. Raises NoticeRefused."""
    if NoticeChannel.objects.filter(team=team).count() >= MOST_CHANNELS:
        raise NoticeRefused(f"A team has at most {MOST_CHANNELS} channels.")
    try:
        with transaction.atomic():
            made = NoticeChannel.objects.create(
                team=team, kind=ChannelKind(kind), name=name, shown=address.shown, made_by_id=by.pk,
                encrypted=encrypt(address.secret, team_id=team.pk), created_at=now,
            )  # fmt: skip
            _audit(team.pk, f"notices: channel {name}", None, address.shown)
            return made
    except IntegrityError:
        raise NoticeRefused(f"There is a channel “{name}” already.") from None


@transaction.atomic
def replace_address(channel: NoticeChannel, address: ChannelAddress) -> None:
    """Give a channel another address; one that was switched off is on again."""
    _audit(channel.team_id, f"notices: channel {channel.name}", channel.shown, address.shown)
    NoticeChannel.objects.filter(pk=channel.pk).update(
        encrypted=encrypt(address.secret, team_id=channel.team_id), shown=address.shown,
        failures=0, disabled_at=None, disabled_why="",
    )  # fmt: skip


@transaction.atomic
def remove_channel(channel: NoticeChannel) -> None:
    """Remove a channel with its rules; what waits for it is not sent."""
    _audit(channel.team_id, f"notices: channel {channel.name}", channel.shown, None)
    channel.delete()


def test_channel(channel: NoticeChannel, now: datetime) -> None:
    """Have the worker send a test. Raises NoticeRefused when one was asked for a moment ago."""
    recent = Notice.objects.filter(channel=channel, is_test=True, created_at__gt=now - TEST_EVERY)
    if recent.exists():
        raise NoticeRefused("A test was sent a moment ago: its answer is in the log.")
    Notice.objects.create(
        team_id=channel.team_id, channel=channel, channel_name=channel.name, rule_words="Test",
        is_test=True, count=1, created_at=now, due_at=now,
    )  # fmt: skip


@transaction.atomic
def add_rule(rule: NoticeRule) -> None:
    """Store a rule. Raises NoticeRefused."""
    if NoticeRule.objects.filter(team=rule.team_id).count() >= MOST_RULES:
        raise NoticeRefused(f"A team has at most {MOST_RULES} rules.")
    rule.save()
    _audit(rule.team_id, "notices: a rule", None, rule_in_words(rule))


# What a rule is about: when it changes, the rule begins anew.
_ABOUT = ("event", "pattern", "error_type", "only_of_id", "minutes", "percent", "least")
_HOW = ("channel_id", "cooldown_minutes", "in_quiet", "with_error")


@transaction.atomic
def change_rule(rule: NoticeRule, now: datetime) -> None:
    """Store what of a rule was changed. Messages that wait already are sent as they are."""
    stored = NoticeRule.objects.select_for_update().get(pk=rule.pk)
    told = _audited(stored), _audited(rule)
    if any(getattr(stored, name) != getattr(rule, name) for name in _ABOUT):
        rule.since, rule.is_alarmed = now, False
        rule.save(update_fields=[*_ABOUT, *_HOW, "since", "is_alarmed"])
    else:
        rule.save(update_fields=_HOW)
    if told[0] != told[1]:
        _audit(rule.team_id, "notices: a rule", *told)


def _audited(rule: NoticeRule) -> str:
    more = f"to {rule.channel.name}, at most every {rule.cooldown_minutes} min"
    return f"{rule_in_words(rule)}; {more}"


@transaction.atomic
def switch_rule(rule: NoticeRule, *, is_on: bool, now: datetime) -> None:
    """Switch a rule on or off; what happens while it is off is not told later."""
    mine = NoticeRule.objects.filter(pk=rule.pk)
    _audit(rule.team_id, f"notices: {rule_in_words(rule)}", rule.is_on, is_on)
    if is_on:
        mine.filter(is_on=False).update(is_on=True, since=now, is_alarmed=False)
        return
    mine.update(is_on=False)
    waiting = Notice.objects.filter(rule=rule, state=NoticeState.WAITING)
    waiting.update(
        state=NoticeState.FAILED, answer="The rule was switched off.", ended_at=now, due_at=None
    )


@transaction.atomic
def remove_rule(rule: NoticeRule) -> None:
    """Remove a rule; what waits for it is not sent."""
    _audit(rule.team_id, "notices: a rule", rule_in_words(rule), None)
    rule.delete()


@transaction.atomic
def set_quiet(team: Team, **chosen: object) -> None:
    """Store the team's quiet hours."""
    NoticeHours.objects.update_or_create(team=team, defaults=chosen)
    _audit(team.pk, "notices: quiet hours", None, " ".join(str(one) for one in chosen.values()))


def _audit(team_id: int, what: str, before: object, after: object) -> None:
    told = {"before": before, "after": after}
    audit.note(
        AuditAct.SETTING_CHANGED, audit.Noted("setting", "", what[:200], told), team_id=team_id
    )

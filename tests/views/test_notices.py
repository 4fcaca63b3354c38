"""The page of notices: all members see it, owners and admins change it, and no reply shows an address again."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.keys.encryption import decrypt
from requests_app.models import Notice, NoticeChannel, NoticeHours, NoticeRule, Team
from tests.browsers import Browser
from tests.builders import make_person

PAGE = "/settings/notices/"
SECRET = "https://example.org/canary"
CHANNEL = {"kind": "webhook", "channel_name": "hook", "address": SECRET}
RULE = {"event": "failed", "pattern": "acme/*", "cooldown_minutes": "5", "with_error": "on", "only_mine": "on"}  # fmt: skip


def post(client: Client, name: str, *args: int, **typed: Any) -> Any:
    return client.post(reverse(f"requests:{name}", args=args), typed, follow=True)


@pytest.fixture
def channel(as_owner: Client) -> NoticeChannel:
    post(as_owner, "add_channel", **CHANNEL)
    return NoticeChannel.objects.get()


def test_every_member_sees_the_page_and_only_owners_and_admins_change_it(
    channel: NoticeChannel, as_owner: Client, viewer: User, teammate: User
) -> None:
    for user in (viewer, teammate):
        client = Browser()
        client.force_login(user)
        shown = client.get(PAGE)
        assert "All of mine" in shown.text and "https://example.org/…" in shown.text
        assert "canary" not in shown.text
        assert "Add a channel" not in shown.text
        for name, args in (("add_channel", []), ("test_channel", [channel.pk]), ("remove_channel", [channel.pk]), ("set_quiet", [])):  # fmt: skip
            assert post(client, name, *args, **CHANNEL).status_code == 403
    assert NoticeChannel.objects.count() == 1


def test_an_address_is_stored_encrypted_and_shown_in_no_reply(
    channel: NoticeChannel, as_owner: Client, team: Team
) -> None:
    assert decrypt(channel.encrypted, team_id=team.pk) == SECRET
    assert "canary" not in as_owner.get(PAGE).text
    assert "canary" not in str(list(NoticeChannel.objects.values()))
    other = post(as_owner, "replace_channel", channel.pk, address="https://example.org/canary2")
    assert "another address" in other.text and "canary" not in other.text
    bad = post(as_owner, "replace_channel", channel.pk, address="ftp://canary")
    assert "Nothing has changed" in bad.text and "canary" not in bad.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"address": "ftp://canary/"}, "begins with https://"),
        ({"address": "http://example.org/canary"}, "has to begin with https://"),
        ({"address": "https://127.0.0.1:9/canary"}, "allow it by NOTICE_HOSTS"),
        ({"address": ""}, "This field is required"),
        ({"address": "https://example.org/canary" + "x" * 1000}, "at most 1000"),
        ({"kind": "pager"}, "not one of the available choices"),
        ({"kind": "slack"}, "Give the webhook’s URL"),
        ({"channel_name": ""}, "This field is required"),
    ],
)
def test_what_is_no_channel_is_refused_in_words_and_not_repeated(
    as_owner: Client, typed: dict[str, str], sentence: str
) -> None:
    refused = post(as_owner, "add_channel", **{**CHANNEL, **typed})
    assert refused.status_code == 422
    assert sentence.replace("’", "'") in unescape(refused.text).replace("’", "'")
    assert "canary" not in refused.text
    assert not NoticeChannel.objects.exists()


def test_a_mail_address_that_was_typed_is_kept_and_a_name_is_taken_once(
    channel: NoticeChannel, as_owner: Client
) -> None:
    typed = {"kind": "email", "channel_name": "hook", "address": "ops@example.org"}
    refused = post(as_owner, "add_channel", **typed)
    assert refused.status_code == 422 and "already" in refused.text
    assert 'value="ops@example.org"' in refused.text
    assert "no mail server" in refused.text


def test_a_rule_is_kept_with_what_its_event_uses_alone(
    channel: NoticeChannel, as_owner: Client, owner: User
) -> None:
    post(as_owner, "add_rule", **RULE, channel=channel.pk, percent="50", minutes="3", least="x")
    rule = NoticeRule.objects.get()
    assert (rule.pattern, rule.only_of, rule.with_error) == ("acme/*", owner, True)
    assert (rule.percent, rule.minutes, rule.least) == (None, None, None)
    shown = as_owner.get(PAGE).text
    assert "A request failed, of acme/*, of olga alone" in shown
    switched = post(as_owner, "switch_rule", rule.pk, on="0")
    assert "The rule is off." in switched.text
    assert not NoticeRule.objects.get().is_on
    assert "removed" in post(as_owner, "remove_rule", rule.pk).text
    assert not NoticeRule.objects.exists()


def test_a_rule_is_changed_in_its_form_and_begins_anew_when_it_is_about_something_else(
    channel: NoticeChannel, as_owner: Client, owner: User, team: Team
) -> None:
    as_admin = Browser()
    as_admin.force_login(make_person("ada", team=team, role="admin"))
    post(as_owner, "add_rule", **RULE, channel=channel.pk)
    rule = NoticeRule.objects.get()
    form = as_admin.get(f"{PAGE}?rule={rule.pk}").text
    assert "Change the rule" in form and "Only requests of olga" in form
    assert 'value="acme/*"' in form and 'value="20"' in form  # what another event would begin with
    typed = {**RULE, "channel": str(channel.pk)}
    slower = post(as_admin, "change_rule", rule.pk, **{**typed, "cooldown_minutes": "60"})
    assert "The rule is changed." in slower.text
    same = NoticeRule.objects.get()
    assert (same.cooldown_minutes, same.since, same.only_of) == (60, rule.since, owner)
    NoticeRule.objects.update(is_alarmed=True)
    post(as_admin, "change_rule", rule.pk, **{**typed, "pattern": "zoo/*", "only_mine": ""})
    other = NoticeRule.objects.get()
    assert (other.pattern, other.only_of, other.is_alarmed) == ("zoo/*", None, False)
    assert other.since > rule.since
    bad = post(as_admin, "change_rule", rule.pk, **{**typed, "pattern": "https://x"})
    assert bad.status_code == 422 and 'value="https://x"' in bad.text
    assert "Change the rule" in bad.text
    for number in ("x", "9" * 30, rule.pk + 1):
        assert as_owner.get(f"{PAGE}?rule={number}").status_code == 404


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"event": "rate", "minutes": "10", "percent": "", "least": "5"}, "Give a number."),
        ({"event": "rate", "minutes": "0", "percent": "5", "least": "5"}, "greater than or equal to 1"),
        ({"event": "queue", "minutes": ""}, "Give a number."),
        ({"event": "moon"}, "not one of the available choices"),
        ({"pattern": "https://x"}, "Write an endpoint id"),
        ({"cooldown_minutes": ""}, "This field is required"),
        ({"channel": "999999"}, "not one of the available choices"),
        ({"channel": "x"}, "not one of the available choices"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_in_words_and_kept(
    channel: NoticeChannel, as_owner: Client, typed: dict[str, str], sentence: str
) -> None:
    refused = post(as_owner, "add_rule", **{**RULE, "channel": str(channel.pk), "error_type": "odd", **typed})  # fmt: skip
    assert refused.status_code == 422 and sentence in unescape(refused.text)
    assert not NoticeRule.objects.exists()
    if typed.get("event", "failed") == "failed":
        assert 'value="odd"' in refused.text


def test_a_test_is_sent_by_the_worker_and_its_answer_stands_in_the_log(
    channel: NoticeChannel, as_owner: Client
) -> None:
    asked = post(as_owner, "test_channel", channel.pk)
    assert "on its way" in asked.text and 'hx-trigger="every 2s"' in asked.text
    assert "a moment ago" in post(as_owner, "test_channel", channel.pk).text
    notice = Notice.objects.get()
    assert notice.is_test and notice.due_at
    Notice.objects.update(state="failed", answer="HTTP 404: no", ended_at=timezone.now())
    log = as_owner.get(reverse("requests:notice_log")).text
    assert "HTTP 404: no" in log and "hx-trigger" not in log


def test_quiet_hours_are_kept_with_the_teams_zone_or_refused_in_words(
    as_owner: Client, team: Team
) -> None:
    post(as_owner, "set_quiet", zone="europe/berlin", quiet_from="22:00", quiet_to="07:00")
    hours = NoticeHours.objects.get(team=team)
    assert hours.zone == "Europe/Berlin" and hours.quiet_from and hours.quiet_from.hour == 22
    assert 'value="22:00"' in as_owner.get(PAGE).text
    for typed, sentence in (
        ({"zone": "Moon", "quiet_from": "22:00", "quiet_to": "07:00"}, "There is no time zone Moon"),
        ({"zone": "UTC", "quiet_from": "22:00", "quiet_to": ""}, "Give both times"),
        ({"zone": "UTC", "quiet_from": "late", "quiet_to": "07:00"}, "valid time"),
    ):  # fmt: skip
        refused = post(as_owner, "set_quiet", **typed)
        assert refused.status_code == 422 and sentence in unescape(refused.text)


def test_another_teams_channels_rules_and_log_do_not_exist(
    channel: NoticeChannel, as_owner: Client, team: Team
) -> None:
    rule = NoticeRule.objects.create(
        team=team, channel=channel, event="failed", since=timezone.now()
    )
    post(as_owner, "test_channel", channel.pk)
    other = Team.objects.create(name="Other")
    stranger = Browser()
    stranger.force_login(make_person("sam", team=other, role="owner"))
    for name, pk in (
        ("replace_channel", channel.pk), ("remove_channel", channel.pk), ("test_channel", channel.pk),
        ("switch_rule", rule.pk), ("change_rule", rule.pk), ("remove_rule", rule.pk),
    ):  # fmt: skip
        assert post(stranger, name, pk, **CHANNEL).status_code == 404
    assert post(stranger, "add_rule", **RULE, channel=channel.pk).status_code == 422
    assert "https://example.org/…" not in stranger.get(PAGE).text
    assert stranger.get(f"{PAGE}?rule={rule.pk}").status_code == 404
    assert NoticeRule.objects.count() == NoticeChannel.objects.count() == 1

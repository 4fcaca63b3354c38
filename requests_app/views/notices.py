"""Notices: the choice of the browser, and the team's channels, rules and log.

All members see them; owners and admins change them. No page shows a channel's address again. Messages may quote inputs:
an admin who may not see these removes and tests, and decides on no message.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from requests_app.forms.notices import ChannelAddressForm, ChannelForm, QuietForm, RuleForm
from requests_app.models import (
    HIDDEN,
    Membership,
    Notice,
    NoticeChannel,
    NoticeHours,
    NoticeRule,
    NoticeState,
    conceal_answer,
)
from requests_app.notices import keeping
from requests_app.notices.keeping import NoticeRefused
from requests_app.notices.mail import NO_SERVER
from requests_app.notices.words import rule_in_words
from requests_app.views.access import membership_of, person_of, team_of, team_required
from requests_app.views.settings import manages

NEWEST = 50  # messages of the log


@team_required
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """Show the page: GET /settings/notices/?rule=7 with this rule in the form, to change it."""
    asked = request.GET.get("rule", "")
    if not asked:
        return _page(request)
    rule = _rule_or_404(request, int(asked) if asked.isdecimal() and len(asked) < 18 else 0)
    return _page(request, rule_form=RuleForm(instance=rule, team=rule.team))


@team_required
@require_safe
def notice_log(request: HttpRequest) -> HttpResponse:
    """Return the log alone: the page asks again while a test is on its way."""
    return render(request, "notices/_log.html", _log(membership_of(request)))


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    """Render the page; `more` replaces a part, such as a refused form."""
    mine = membership_of(request)
    team = mine.team
    rules = NoticeRule.objects.filter(team=team).select_related("channel", "only_of")
    channels = list(NoticeChannel.objects.filter(team=team).defer("encrypted"))
    for channel in channels if not mine.sees else ():
        conceal_answer(channel)
    hours = NoticeHours.objects.filter(team=team).first() or NoticeHours()
    context = {
        "channels": channels,
        "hidden": "" if mine.sees else HIDDEN,
        "may_decide": mine.may_manage and mine.sees,
        "rules": [(rule, rule_in_words(rule)) for rule in rules],
        "hours": hours,
        "quiet_form": QuietForm(
            initial={"zone": hours.zone, "quiet_from": hours.quiet_from, "quiet_to": hours.quiet_to}
        ),
        "channel_form": ChannelForm(),
        "rule_form": RuleForm(team=team),
        "no_mail_server": "" if settings.EMAIL_HOST else NO_SERVER,
        "has_links": bool(settings.PUBLIC_URL),
        **_log(mine),
        **more,
    }
    return render(request, "notices/notices.html", context, status=status)


def _log(mine: Membership) -> dict[str, Any]:
    newest = list(Notice.objects.filter(team=mine.team)[:NEWEST])
    for one in newest if not mine.sees else ():
        conceal_answer(one)
    open_states = (NoticeState.WAITING, NoticeState.SENDING)
    return {
        "log": newest,
        "is_testing": any(one.is_test and one.state in open_states for one in newest),
    }


@sensitive_post_parameters("address")
@manages
def add_channel(request: HttpRequest) -> HttpResponse:
    """Store another channel."""
    form = ChannelForm(request.POST)
    if form.is_valid() and form.parsed:
        typed = form.cleaned_data
        try:
            keeping.add_channel(
                team_of(request), kind=typed["kind"], name=typed["channel_name"], address=form.parsed,
                by=person_of(request), now=timezone.now(),
            )  # fmt: skip
        except NoticeRefused as refused:
            form.add_error("channel_name", str(refused))
        else:
            return _said(request, "The channel is kept. Test it before you rely on it.")
    return _page(request, status=422, channel_form=form)


@sensitive_post_parameters("address")
@manages
def replace_channel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a channel another address."""
    channel = _channel_or_404(request, pk)
    form = ChannelAddressForm(request.POST, kind=channel.kind)
    if not form.is_valid() or form.parsed is None:
        why = next((str(one) for one in form.errors.get("address", [])), "No address was given.")
        messages.error(request, f"{why} Nothing has changed.")
        return redirect("requests:notices")
    keeping.replace_address(channel, form.parsed)
    return _said(request, "The channel has another address.")


@manages
def test_channel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the worker for a test message; its answer comes into the log."""
    try:
        keeping.test_channel(_channel_or_404(request, pk), timezone.now())
    except NoticeRefused as refused:
        messages.error(request, str(refused))
        return redirect("requests:notices")
    return _said(request, "A test is on its way: its answer comes into the log.")


@manages
def remove_channel(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a channel with its rules."""
    keeping.remove_channel(_channel_or_404(request, pk))
    return _said(request, "The channel and its rules are removed.")


@manages
def add_rule(request: HttpRequest) -> HttpResponse:
    """Store another rule."""
    team = team_of(request)
    form = RuleForm(request.POST, team=team)
    if form.is_valid():
        rule = form.given_to(person_of(request))
        rule.team, rule.since = team, timezone.now()
        try:
            keeping.add_rule(rule)
        except NoticeRefused as refused:
            form.add_error(None, str(refused))
        else:
            return _said(request, "The rule is kept. It tells of what happens from now on.")
    return _page(request, status=422, rule_form=form)


@manages
def change_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Store what of a rule was changed."""
    rule = _rule_or_404(request, pk)
    form = RuleForm(request.POST, instance=rule, team=rule.team)
    if not form.is_valid():
        return _page(request, status=422, rule_form=form)
    keeping.change_rule(form.given_to(person_of(request)), timezone.now())
    return _said(request, "The rule is changed.")


@manages
def switch_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a rule on (`on=1`) or off."""
    is_on = request.POST.get("on") == "1"
    keeping.switch_rule(_rule_or_404(request, pk), is_on=is_on, now=timezone.now())
    return _said(request, f"The rule is {'on' if is_on else 'off'}.")


@manages
def remove_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a rule; what it has sent stays in the log."""
    keeping.remove_rule(_rule_or_404(request, pk))
    return _said(request, "The rule is removed.")


@manages
def set_quiet(request: HttpRequest) -> HttpResponse:
    """Store the team's quiet hours."""
    form = QuietForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, quiet_form=form)
    keeping.set_quiet(team_of(request), **form.cleaned_data)
    return _said(request, "The quiet hours are kept.")


def _channel_or_404(request: HttpRequest, pk: int) -> NoticeChannel:
    found = NoticeChannel.objects.filter(team=membership_of(request).team, pk=pk).first()
    if found is None:
        raise Http404
    return found


def _rule_or_404(request: HttpRequest, pk: int) -> NoticeRule:
    found = NoticeRule.objects.filter(team=membership_of(request).team, pk=pk).first()
    if found is None:
        raise Http404
    return found


def _said(request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("requests:notices")

"""The forms of a team's notices. A channel's address is never shown again, unless it is a mail address."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from requests_app.display.times import known_zones
from requests_app.fal.guarded_post import why_refused
from requests_app.models import ChannelKind, NoticeChannel, NoticeRule, RuleEvent, Team
from requests_app.notices import addresses

MOST_ADDRESS = 1000
_NEEDED = {
    RuleEvent.UNCERTAIN: ("minutes",),
    RuleEvent.QUEUE: ("minutes",),
    RuleEvent.RATE: ("minutes", "percent", "least"),
}
_BY_ENDPOINT = frozenset(RuleEvent) - {RuleEvent.BULK, RuleEvent.KEY, RuleEvent.FORWARD}
_BY_PERSON = frozenset(RuleEvent) - {RuleEvent.RATE, RuleEvent.KEY, RuleEvent.FORWARD}
_BY_ERROR = frozenset({RuleEvent.FAILED, RuleEvent.RATE})


class ChannelAddressForm(forms.Form):
    """Another address for a channel that there is."""

    address = forms.CharField(
        max_length=MOST_ADDRESS,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, kind: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known_kind = kind
        self.parsed: addresses.ChannelAddress | None = None

    def clean(self) -> dict[str, Any]:
        """Read the address for the channel's kind."""
        kind = self.cleaned_data.get("kind") or self.known_kind
        if kind and (text := self.cleaned_data.get("address")):
            try:
                self.parsed = addresses.parse(kind, text)
                self._ensure_allowed(kind, self.parsed.secret)
            except addresses.BadAddress as bad:
                self.add_error("address", str(bad))
        return self.cleaned_data

    def _ensure_allowed(self, kind: str, address: str) -> None:
        is_called = kind == ChannelKind.WEBHOOK
        if is_called and (why := why_refused(address, settings.NOTICE_HOSTS, "NOTICE_HOSTS")):
            raise addresses.BadAddress(why)


class ChannelForm(ChannelAddressForm):
    """A new channel."""

    kind = forms.ChoiceField(choices=ChannelKind.choices)
    channel_name = forms.CharField(
        label="Name",
        max_length=NoticeChannel._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("kind", "channel_name", "address")

    @property
    def typed_address(self) -> str:
        """Return what may be shown again of what was typed."""
        is_mail = self.data.get("kind") == ChannelKind.EMAIL
        return str(self["address"].value() or "") if is_mail else ""


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new rule. What its event does not use is not kept."""

    event = forms.ChoiceField(choices=RuleEvent.choices)
    only_mine = forms.BooleanField(required=False)
    pattern = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._/-]*\*?$",
        required=False,
        max_length=300,
        error_messages={
            "invalid": "Write an endpoint id, or the beginning of ids with a * at the end."
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "all", "spellcheck": "false"}
        ),
    )
    error_type = forms.CharField(
        required=False,
        max_length=80,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "any", "spellcheck": "false"}
        ),
    )
    minutes = forms.IntegerField(required=False, min_value=1, max_value=1440, initial=10)
    percent = forms.IntegerField(required=False, min_value=0, max_value=99, initial=20)
    least = forms.IntegerField(required=False, min_value=1, max_value=100_000, initial=20)
    cooldown_minutes = forms.IntegerField(min_value=1, max_value=1440, initial=5)

    class Meta:
        model = NoticeRule
        fields = (
            "event", "channel", "pattern", "error_type", "minutes", "percent", "least",
            "cooldown_minutes", "in_quiet", "with_error",
        )  # fmt: skip

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.only_of = self.instance.only_of if self.instance.pk else None
        self.initial["only_mine"] = bool(self.only_of)
        for name in ("minutes", "percent", "least"):
            if self.initial.get(name) is None:  # another event may use it
                self.initial.pop(name, None)
        channels: Any = self.fields["channel"]
        channels.queryset = NoticeChannel.objects.filter(team=team)
        channels.empty_label = None
        channels.label_from_instance = lambda one: f"{one.name} ({one.get_kind_display()})"

    def given_to(self, person: AbstractBaseUser) -> NoticeRule:
        """Return the rule as it is now, not stored yet. One that is about a user's requests alone stays so."""
        rule: NoticeRule = self.save(commit=False)
        rule.only_of_id = (self.only_of or person).pk if self.cleaned_data["only_mine"] else None
        return rule

    def clean(self) -> dict[str, Any]:
        """Require what the event needs, and drop what it has no use for."""
        given = super().clean() or self.cleaned_data
        event = given.get("event", "")
        for name in ("minutes", "percent", "least"):
            if name not in _NEEDED.get(event, ()):
                given[name] = None
                self.errors.pop(name, None)
            elif given.get(name) is None and name not in self.errors:
                self.add_error(name, "Give a number.")
        for name, events in (("pattern", _BY_ENDPOINT), ("error_type", _BY_ERROR)):
            if event not in events:
                given[name] = ""
                self.errors.pop(name, None)
        given["only_mine"] = bool(given.get("only_mine")) and event in _BY_PERSON
        given["with_error"] = bool(given.get("with_error")) and event == RuleEvent.FAILED
        return given


class QuietForm(forms.Form):
    """The team's quiet hours; without times there are none."""

    zone = forms.CharField(max_length=64)
    quiet_from = forms.TimeField(required=False)
    quiet_to = forms.TimeField(required=False)

    @property
    def shown_from(self) -> str:
        """Return the time as its field takes it."""
        return _clock(self["quiet_from"].value())

    @property
    def shown_to(self) -> str:
        """Return the time as its field takes it."""
        return _clock(self["quiet_to"].value())

    def clean_zone(self) -> str:
        """Return an IANA name in its own spelling, whatever case was typed."""
        asked: str = self.cleaned_data["zone"]
        names = {name.lower(): name for name in ("UTC", *known_zones())}
        if asked.lower() not in names:
            raise forms.ValidationError(
                "There is no time zone %(zone)s. Zones have names such as Europe/Berlin.",
                params={"zone": asked},
            )
        return names[asked.lower()]

    def clean(self) -> dict[str, Any]:
        """Require both times or none."""
        times = [self.cleaned_data.get(name) for name in ("quiet_from", "quiet_to")]
        if len([one for one in times if one is None]) == 1 and not self.errors:
            raise forms.ValidationError("Give both times, or none.")
        return self.cleaned_data


def _clock(value: object) -> str:
    return f"{value:%H:%M}" if isinstance(value, time) else str(value or "")

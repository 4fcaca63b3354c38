"""The form of a destination: its address is taken and never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from requests_app.fal.guarded_post import why_refused
from requests_app.forms.notices import MOST_ADDRESS
from requests_app.forwarding.keeping import WantedDestination
from requests_app.models import ChannelKind, ForwardDestination
from requests_app.notices import addresses

_TEXT = {"autocomplete": "off", "spellcheck": "false"}


class DestinationForm(forms.Form):
    """A destination. One that there is (`destination`) keeps its address where none is typed."""

    destination_name = forms.CharField(
        label="Name",
        max_length=ForwardDestination._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    address = forms.CharField(
        required=False, max_length=MOST_ADDRESS, widget=forms.TextInput(attrs=_TEXT)
    )
    pattern = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._/-]*\*?$",
        required=False,
        max_length=300,
        error_messages={
            "invalid": "Write an endpoint id, or the beginning of ids with a * at the end."
        },
        widget=forms.TextInput(attrs={**_TEXT, "placeholder": "all"}),
    )
    deliveries = forms.BooleanField(required=False)
    completed = forms.BooleanField(required=False)
    failed = forms.BooleanField(required=False)
    cancelled = forms.BooleanField(required=False)

    def __init__(
        self, *args: Any, destination: ForwardDestination | None = None, **kwargs: Any
    ) -> None:
        if destination:
            kwargs["initial"] = {
                "destination_name": destination.name, "pattern": destination.pattern,
                "deliveries": destination.wants_deliveries, "completed": destination.wants_completed,
                "failed": destination.wants_failed, "cancelled": destination.wants_cancelled,
            }  # fmt: skip
        super().__init__(*args, **kwargs)
        self.destination = destination
        self.parsed: addresses.ChannelAddress | None = None

    def clean_address(self) -> str:
        """Read the address; a new destination needs one."""
        text: str = self.cleaned_data["address"]
        if not text and self.destination is None:
            raise forms.ValidationError("Give the address.")
        if text:
            try:
                self.parsed = addresses.parse(ChannelKind.WEBHOOK, text)
            except addresses.BadAddress as bad:
                raise forms.ValidationError(str(bad)) from None
            if why := why_refused(self.parsed.secret, settings.FORWARD_HOSTS, "FORWARD_HOSTS"):
                raise forms.ValidationError(why)
        return text

    def clean(self) -> dict[str, Any]:
        """Require something to send."""
        given = super().clean() or self.cleaned_data
        if not any(given.get(name) for name in ("deliveries", "completed", "failed", "cancelled")):
            self.add_error("deliveries", "Choose at least one kind of message.")
        return given

    @property
    def wanted(self) -> WantedDestination:
        """Return what was chosen; valid after `is_valid()`."""
        given = self.cleaned_data
        return WantedDestination(
            given["destination_name"], self.parsed, given["pattern"], given["deliveries"],
            given["completed"], given["failed"], given["cancelled"],
        )  # fmt: skip

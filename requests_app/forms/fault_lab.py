"""The form of the fault lab: what goes wrong with the calls of a token, how often, for how long."""

from __future__ import annotations

from typing import Any

from django import forms

from requests_app.models import ApiToken

CALLS = ("submit", "status", "status_stream", "result", "cancel", "run", "stream")
# What is chosen: its label, the calls that it spoils, and the fault of the engine.
KINDS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "latency": ("Latency: each call waits for n seconds", CALLS, "delay"),
    "429": ("429 Too Many Requests", CALLS, "429"),
    "503": ("503 No runner available", CALLS, "503"),
    "504": ("504 Gateway Time-out, as a proxy's page", CALLS, "504_html"),
    "cut": ("Streams break off after n events", ("stream", "status_stream"), "cut"),
    "too_late": ("Cancel is answered “too late”", ("cancel",), "too_late"),
    "hook_delay": ("Webhooks of own apps come n seconds late", ("webhook",), "delay"),
    "hook_repeat": ("Webhooks of own apps come twice", ("webhook",), "repeat"),
    "hook_forge": ("Webhooks of own apps have a forged signature", ("webhook",), "bad_signature"),
}
MOST_SECONDS = 120
MOST_MINUTES = 8 * 60


class FaultForm(forms.Form):
    """A kind with its number, how often, for how long; confirmed by the end of the token."""

    kind = forms.ChoiceField(choices=[(name, label) for name, (label, *_) in KINDS.items()])
    n = forms.IntegerField(
        min_value=0, max_value=MOST_SECONDS, initial=5, label="n", help_text="seconds, or events"
    )
    times = forms.IntegerField(
        min_value=1,
        max_value=1_000_000,
        required=False,
        label="How often, for each kind of call",
        help_text="empty: always",
    )
    minutes = forms.IntegerField(min_value=1, max_value=MOST_MINUTES, initial=60, label="Minutes")
    confirm = forms.CharField(
        max_length=20, label="To confirm, the last four characters of the token"
    )

    def __init__(self, *args: Any, token: ApiToken, **kwargs: Any) -> None:
        kwargs["prefix"] = f"faults-{token.pk}"
        super().__init__(*args, **kwargs)
        self.token = token
        self.fields["confirm"].widget.attrs["autocomplete"] = "off"

    def clean_confirm(self) -> str:
        """Raises ValidationError when it names another token."""
        typed = str(self.cleaned_data["confirm"]).strip().removeprefix("fdk_…")
        if not self.token.last_four or typed != self.token.last_four:
            raise forms.ValidationError(
                "These are not the last four characters of this token. Its calls fail on purpose: never take one "
                "that production uses."
            )
        return typed

    def rules(self) -> list[dict[str, object]]:
        """Return the rules of a valid form."""
        typed = self.cleaned_data
        _, calls, do = KINDS[typed["kind"]]
        number = (
            {"seconds": typed["n"]}
            if do == "delay"
            else {"after": typed["n"]}
            if do == "cut"
            else {}
        )
        return [{"when": when, "do": do, "times": typed["times"], **number} for when in calls]

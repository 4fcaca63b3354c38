"""The form for how times are shown."""

from __future__ import annotations

from django import forms

from requests_app.display.times import LOCAL, known_zones
from requests_app.models import TimePreference


class TimeForm(forms.ModelForm):  # type: ignore[type-arg]
    """Every field has a value, so what is sent is the whole choice."""

    zone = forms.CharField(max_length=64)
    has_ages = forms.TypedChoiceField(
        choices=[("1", "3 m ago"), ("0", "the exact time")], coerce=lambda text: text == "1"
    )
    hours = forms.TypedChoiceField(choices=TimePreference.HOURS, coerce=int)

    class Meta:
        model = TimePreference
        fields = ("zone", "has_ages", "hours")

    def clean_zone(self) -> str:
        """Return an IANA name in its own spelling, whatever case was typed."""
        asked: str = self.cleaned_data["zone"]
        names = {name.lower(): name for name in (LOCAL, "UTC", *known_zones())}
        if asked.lower() not in names:
            raise forms.ValidationError(
                "There is no time zone %(zone)s. Zones have names such as Europe/Berlin.",
                params={"zone": asked},
            )
        return names[asked.lower()]

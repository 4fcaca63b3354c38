"""The forms of the realtime page: a session's first values, and messages a team saves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from dashboard.local_apps import app_of
from requests_app.fal import EndpointId, InvalidEndpointId
from requests_app.keys import key_for
from requests_app.models import FalRequest, Mode, Team, Use
from requests_app.presets import saving
from requests_app.request_input import InvalidInput, parse_input

# endpoint id -> a message that works at once in the sandbox
EXAMPLES = {"sandbox/echo": '{\n  "message": "hello",\n  "number": 21\n}'}


class MessageForm(forms.Form):
    """A message to save. After `is_valid()`, `keep()` stores it."""

    endpoint_id = forms.CharField(max_length=300, strip=False)
    name = forms.CharField(max_length=80)
    text = forms.CharField(strip=False)

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.team = team
        self.fields["name"].error_messages["required"] = "Give it a name."
        self.fields["text"].error_messages["required"] = "There is no message to save."
        self.fields["endpoint_id"].error_messages["required"] = (
            "Give the endpoint first: a message is saved for one."
        )

    def clean_endpoint_id(self) -> str:
        """Return the id in its canonical form."""
        try:
            return str(EndpointId.parse(self.cleaned_data["endpoint_id"]))
        except InvalidEndpointId as error:
            raise forms.ValidationError(str(error)) from error

    def clean_text(self) -> str:
        """Return the JSON as typed; browsers send CRLF for a line break."""
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n")
        try:
            parse_input(text)
        except InvalidInput as error:
            raise forms.ValidationError(str(error)) from error
        return text

    def keep(self, person: AbstractBaseUser, *, now: datetime) -> bool | None:
        """Store the message, as the next version if the name is taken. True when it is new.

        None: it is refused, with an error at the name.
        """
        try:
            _, is_new = saving.save(
                team=self.team, person=person, now=now, use=Use.MESSAGE, mode=Mode.REALTIME,
                **self.cleaned_data,
            )  # fmt: skip
        except saving.PresetRefused as refused:
            self.add_error("name", str(refused))
            return None
        return is_new


def first_session(endpoint: str, source: FalRequest | None, team: Team) -> dict[str, Any]:
    """Return the first values of the session form: an earlier session's, or a sandbox example."""
    if source is not None:
        return {
            "endpoint_id": source.endpoint_id,
            "path": source.options.get("path", "/realtime"),
            "max_buffering": source.options.get("max_buffering") or "",
            "auth": _auth(source.options.get("auth", "token"), team, source.endpoint_id),
        }
    if not endpoint and settings.SANDBOX:
        endpoint = next(iter(EXAMPLES))
    return {
        "endpoint_id": endpoint[:300],
        "path": "/realtime",
        "max_buffering": "",
        "auth": _auth("token", team, endpoint),
        "message": EXAMPLES.get(endpoint, "") if settings.SANDBOX else "",
    }


def _auth(wanted: str, team: Team, endpoint_id: str) -> str:
    """Fall back to "key" where there is none: a token needs a key, and "key" without one sends none."""
    is_fals = app_of(endpoint_id) is None  # an own app is shown neither
    return wanted if is_fals and key_for(team.pk, endpoint_id).secret else "key"

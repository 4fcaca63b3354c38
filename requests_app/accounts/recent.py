"""Whether a user has proved lately who they are, and the forms that wait for it.

A form that waits is stored nowhere. The page that asks carries it, encrypted, for the same user, session, team and
address and for some minutes only.
"""

from __future__ import annotations

import json
import time

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, QueryDict

from requests_app.keys.encryption import Undecryptable, decrypt, encrypt
from requests_app.models.team import digest

MOST_CARRIED = 32 * 1024  # characters of a form; what waits here is far smaller
CARRIED_FOR_S = 10 * 60
CARRIED, PREFIX = (
    "carried",
    "again",
)  # fields of the page that asks: the form, and the password's prefix
NOT_CARRIED = ("csrfmiddlewaretoken", CARRIED, f"{PREFIX}-password")


class NotCarried(Exception):
    """It is too old, or was carried for another user, session, team or address, or is none."""


def is_recent(request: HttpRequest) -> bool:
    """Whether this session's user has logged in or confirmed it lately. A session without a record has not."""
    records = get_authentication_records(request, request.user)
    proofs = [float(one["at"]) for one in records if one.get("reauthenticated")]
    lasts: int = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return bool(proofs) and time.time() - proofs[-1] < lasts


def seal(request: HttpRequest, team_id: int) -> str:
    """Return the form that was sent, to be carried by the page; empty when it is too large."""
    form = request.POST.copy()
    for name in NOT_CARRIED:
        form.pop(name, None)
    text = form.urlencode()
    if len(text) > MOST_CARRIED:
        return ""
    until = time.time() + CARRIED_FOR_S
    carried = {"for": _bearer(request), "until": until, "form": text}
    return encrypt(json.dumps(carried), team_id=team_id)


def unseal(request: HttpRequest, team_id: int) -> QueryDict:
    """Return the form that the page carried. Raises NotCarried."""
    try:
        carried = json.loads(decrypt(request.POST[CARRIED], team_id=team_id))
        is_ours = carried["for"] == _bearer(request) and time.time() < carried["until"]
    except (Undecryptable, ValueError, KeyError, TypeError):
        raise NotCarried from None
    if not is_ours:
        raise NotCarried
    return QueryDict(carried["form"])


def _bearer(request: HttpRequest) -> list[str]:
    session = digest(request.session.session_key or "")
    return [str(request.user.pk), session, request.get_full_path()]

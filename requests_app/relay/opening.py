"""Open one more session, within the limit per user."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from requests_app import lifecycle
from requests_app.keys import ProgramKey
from requests_app.models import FalRequest, Mode, RequestOrigin, Team
from requests_app.request_input import Draft


class TooManySessions(Exception):
    """The user has as many sessions open as are allowed."""


def claim_session(
    draft: Draft,
    *,
    team: Team,
    person: AbstractBaseUser,
    origin: RequestOrigin = RequestOrigin.PAGE,
    own_key: ProgramKey | None = None,
) -> lifecycle.Attempt:
    """Record a session and take its lease in the same transaction. Raises TooManySessions.

    `own_key`: what is known of the program's own key of fal's, with which it is held.
    """
    with transaction.atomic():
        # The lock on the user makes two tabs count one after the other.
        get_user_model().objects.select_for_update().get(pk=person.pk)
        mine = FalRequest.objects.live().filter(person_id=person.pk, mode=Mode.REALTIME)
        if mine.count() >= settings.REALTIME_SESSIONS:
            raise TooManySessions(
                f"You have {settings.REALTIME_SESSIONS} sessions open, which is the most. End one."
            )
        try:
            return lifecycle.open_session(
                draft, team=team, person=person, now=timezone.now(), origin=origin, own_key=own_key
            )
        except lifecycle.TooManyOpen as error:
            raise TooManySessions(str(error)) from None

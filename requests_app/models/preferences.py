"""A user's choices for their pages, on every device."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from requests_app.models.compiled import CompiledQuery


class TimePreference(models.Model):
    """How a user reads times (see display.times), whether single keys act, and media are blurred.

    Without a row the fields' defaults apply.
    """

    HOURS = ((24, "24 hours"), (12, "12 hours"))

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", primary_key=True
    )
    # "local" (of the browser), "UTC", or a name of the IANA database
    zone = models.CharField(max_length=64, default="local")
    has_ages = models.BooleanField(default=True)  # in lists: "3 m ago"; else the exact time
    hours = models.PositiveSmallIntegerField(choices=HOURS, default=24)
    single_keys = models.BooleanField(default=True, db_default=True)  # lib/keys.js
    blurs_media = models.BooleanField(default=False, db_default=False)  # lib/blur.js

    def __str__(self) -> str:
        return f"{self.zone}, {self.hours} h"

    @classmethod
    def of(cls, user: AbstractBaseUser | AnonymousUser) -> TimePreference:
        """Return the user's own choice, or the default."""
        found = _OF_USER.first(user=user.pk) if user.is_authenticated else None
        return found or cls()

    @classmethod
    def keep(cls, user: AbstractBaseUser | AnonymousUser, **chosen: str | bool | int) -> None:
        """Store the choice; of two at once the later one stays."""
        cls.objects.update_or_create(user_id=user.pk or 0, defaults=chosen)


_OF_USER: CompiledQuery[TimePreference] = CompiledQuery(
    lambda user: TimePreference.objects.filter(user_id=user)
)

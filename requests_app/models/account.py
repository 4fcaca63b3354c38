"""Accounts by name: which names are taken, and the one way to create or rename a user.

User rows are django.contrib.auth's. A name is taken by its keys (`models/names.py`), which the
database keeps unique: when two processes claim one at once, one of them is refused.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import User, UserManager
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, OuterRef

from requests_app.models.names import fault_of, fold, keys_of

logger = logging.getLogger(__name__)

TAKEN = "This name is taken, or looks like one that is. If it is you, log in first."


class NameTaken(ValidationError):
    """Another account has this name, in this or another spelling."""

    CODE = "unique"

    def __init__(self) -> None:
        super().__init__(TAKEN, code=self.CODE)


class AccountName(models.Model):
    """One key of a user's name. `username`: the spelling for which the user claimed it."""

    key = models.CharField(max_length=600, unique=True)
    username = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account_names"
    )

    def __str__(self) -> str:
        return self.key


class AccountManager(UserManager["Account"]):
    """Finds users by any spelling of their name."""

    def find(self, name: str) -> User | None:
        """Return the user of this name, else None."""
        claim_missing()
        users = list(User.objects.filter(account_names__key__in=keys_of(name)).distinct())
        # A name in another script may look like two names; its exact spelling matches one at most.
        exact = [user for user in users if fold(user.username) == fold(name)]
        found = exact or users
        return found[0] if len(found) == 1 else None

    def get_by_natural_key(self, username: str | None) -> Account:
        """Like `find`, for Django's own commands. Raises DoesNotExist."""
        user = self.find(username or "")
        if user is None:
            raise self.model.DoesNotExist
        return self.get(pk=user.pk)

    def is_taken(self, name: str) -> bool:
        """Whether the name, or one that looks like it, is taken."""
        claim_missing()
        return AccountName.objects.filter(key__in=keys_of(name)).exists()


class Account(User):
    """A user whose name is checked and claimed on every save with a new name."""

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        proxy = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store user and name, or neither. Raises NameTaken or ValidationError."""
        claim_missing()
        self.username = self.normalize_username(self.username)
        if AccountName.objects.filter(user=self.pk, username=self.username).exists():
            super().save(*args, **kwargs)
            return
        if fault := fault_of(self.username):
            raise ValidationError(fault)
        try:
            with transaction.atomic():
                super().save(*args, **kwargs)
                claim(self)
        except IntegrityError as error:
            raise NameTaken from error


def claim(user: User) -> None:
    """Claim the user's present name and release an earlier one. Raises IntegrityError."""
    AccountName.objects.filter(user_id=user.pk).delete()
    AccountName.objects.bulk_create(
        AccountName(key=key, username=user.username, user_id=user.pk)
        for key in keys_of(user.username)
    )


def claim_missing() -> None:
    """Claim the names of users stored without `Account`: by a fixture or in a shell."""
    claimed = AccountName.objects.filter(user=OuterRef("pk"), username=OuterRef("username"))
    for user in User.objects.filter(~Exists(claimed)).order_by("pk"):
        try:
            with transaction.atomic():
                claim(user)
        except IntegrityError:
            logger.warning(
                "The user %r (id %s) cannot log in: the name is another user's. "
                "manage.py rename_user gives another one.",
                user.username, user.pk,
            )  # fmt: skip

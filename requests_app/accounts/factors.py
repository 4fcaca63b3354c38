"""Second factors, as allauth keeps them: encrypted at rest, with counted guesses and audited changes."""

from __future__ import annotations

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from requests_app.accounts import devices, throttle
from requests_app.accounts.network import network_of
from requests_app.accounts.throttle import Subject
from requests_app.keys import encryption
from requests_app.models import AuditAct

OF_NO_TEAM = 0  # what is encrypted belongs to an account
SECRETS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}
# What allauth tells the account's owner by mail is what the trail notes.
ACTS = {
    "mfa/email/totp_activated": (AuditAct.FACTOR_ADDED, "authenticator app"),
    "mfa/email/totp_deactivated": (AuditAct.FACTOR_REMOVED, "authenticator app"),
    "mfa/email/webauthn_added": (AuditAct.FACTOR_ADDED, "passkey"),
    "mfa/email/webauthn_removed": (AuditAct.FACTOR_REMOVED, "passkey"),
    "mfa/email/recovery_codes_generated": (AuditAct.CODES_MADE, "recovery codes"),
}


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's adapter, with secrets that are encrypted as fal keys are."""

    def encrypt(self, text: str) -> str:
        """Return the secret as it is stored."""
        return encryption.encrypt(text, team_id=OF_NO_TEAM)

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret."""
        return encryption.decrypt(encrypted_text, team_id=OF_NO_TEAM)

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        """Number passkeys whose owner gives them no name."""
        return f"Passkey {Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1}"


def count_guess(user: AbstractBaseUser) -> throttle.Guess:
    """Count a guess of a code. Raises TooManyGuesses.

    Who has the password alone cannot use up the guesses of a browser that has logged in before.
    """
    request: HttpRequest = context.request
    if device := devices.known_device(request, user):  # type: ignore[arg-type]
        subjects = [Subject("factor", f"device {device}:{user.pk}")]
    else:
        subjects = [Subject("factor", f"user {user.pk}"), Subject("factors", network_of(request))]
    return throttle.count(subjects, now=timezone.now())


def rotate() -> tuple[int, int]:
    """Encrypt all secrets with the first one; return how many were, and how many nothing opens."""
    done = failed = 0
    for pk in Authenticator.objects.filter(type__in=SECRETS).values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            field = SECRETS[Authenticator.Type(row.type)] if row else ""
            if row is None or encryption.is_of_first(row.data[field]):
                continue
            try:
                row.data[field] = encryption.rotated(row.data[field])
            except encryption.Undecryptable:
                failed += 1
                continue
            row.save(update_fields=["data"])
            done += 1
    return done, failed

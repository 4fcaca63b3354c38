"""`manage.py rotate_encryption_key`: encrypt fal keys and second factors with a new secret."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from requests_app.accounts import factors
from requests_app.keys import encryption, keeping

MOST_PASSES = 10  # a key that was stored meanwhile with an older secret is found by the next one


class Command(BaseCommand):
    """Rotate the secret that encrypts fal keys; also while the server runs."""

    help = (
        "Encrypt all fal keys anew. With ENCRYPTION_KEYS: put the new secret first, restart, run this, "
        "and take the old one out. Without: a new secret is made in DATA_DIR and the old one dropped."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many keys were encrypted; older secrets are dropped only when no key needs them."""
        is_ours = not settings.ENCRYPTION_KEYS
        if is_ours:
            encryption.write_secrets([secrets.token_urlsafe(48), *encryption.secrets_now()])
        for _ in range(MOST_PASSES):
            done, failed = keeping.rotate()
            if failed or not keeping.of_older_secrets():
                break
        _, unopened = factors.rotate()
        if failed:
            raise CommandError(
                f"{failed} keys are opened by none of the secrets; all secrets are kept. "
                "Remove these keys, or give them again under Settings."
            )
        if unopened:
            raise CommandError(
                f"{unopened} second factors are opened by none of the secrets; all secrets are kept."
            )
        if is_ours:
            encryption.write_secrets(encryption.secrets_now()[:1])
        word = "key is" if done == 1 else "keys are"
        self.stdout.write(f"{done} {word} encrypted with the newest secret.")

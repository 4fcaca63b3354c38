"""Give an account another name: at once the only one by which it is found, and noted in the trail."""

from __future__ import annotations

from django.db import transaction

from requests_app.accounts.trail import note_account
from requests_app.models import Account, AuditAct


def rename(account: Account, name: str, *, by: Account | None = None) -> None:
    """Store the name. `by`: the user, where they do it. Raises NameTaken, ValidationError."""
    before = account.username
    account.username = Account.normalize_username(name)
    account.clean_fields()
    if account.username == before:
        return
    with transaction.atomic():
        account.save()
        told = {"before": before, "after": account.username}
        note_account(AuditAct.ACCOUNT_RENAMED, account, by=by, **told)

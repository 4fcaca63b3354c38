"""The page on which users give themselves another name, after a recent proof of who they are."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from requests_app.accounts import throttle
from requests_app.accounts.renaming import rename
from requests_app.accounts.throttle import Subject
from requests_app.forms.account import AccountNameForm
from requests_app.models import Account, NameTaken
from requests_app.views.access import person_of
from requests_app.views.login import login_required

TOO_MANY_NAMES = "Too many names were refused. Try again tomorrow."


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "HEAD", "POST"])
def account_name(request: HttpRequest) -> HttpResponse:
    """GET shows the form, POST stores the name. Few names are told to be taken."""
    account = Account.objects.get(pk=person_of(request).pk)
    form = AccountNameForm(request.POST or None, initial={"username": account.username})
    if request.method == "POST" and form.is_valid() and _renamed(account, form):
        messages.success(request, f"Your name is {account.username} now.")
        return redirect("account_home")
    status = 422 if request.method == "POST" else 200
    return render(request, "account/name.html", {"form": form}, status=status)


def _renamed(account: Account, form: AccountNameForm) -> bool:
    """Whether the name is stored; the form says why it is not."""
    try:
        guess = throttle.count([Subject("names", f"user {account.pk}")], now=timezone.now())
    except throttle.TooManyGuesses:
        form.add_error("username", TOO_MANY_NAMES)
        return False
    try:
        rename(account, form.cleaned_data["username"], by=account)
    except ValidationError as error:
        form.add_error("username", error.messages)
        if not isinstance(error, NameTaken):
            throttle.take_back(guess)
        return False
    throttle.take_back(guess)
    return True

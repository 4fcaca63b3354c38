"""Sign-up where the operator has opened it: ask for a link, then choose a name and a password."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dashboard.masking import masks_path
from requests_app import announce
from requests_app.accounts import devices, sign_up, throttle
from requests_app.accounts.adapter import TOO_MANY, too_many
from requests_app.accounts.network import network_of
from requests_app.accounts.throttle import Subject
from requests_app.forms.setup import AccountForm
from requests_app.forms.sign_up import SignUpForm
from requests_app.models import NameTaken

TOO_MANY_NAMES = "Too many names were refused. Try again tomorrow."
METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(METHODS)
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for an address, and answer alike whether it has an account or not."""
    _check_open()
    form = SignUpForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "account/sign_up.html", form)
    address = form.cleaned_data["email"]
    try:
        throttle.count([Subject("resets", network_of(request))], now=timezone.now())
    except throttle.TooManyGuesses as refused:
        form.add_error(None, too_many(refused.wait, what="Too many links were asked for."))
        return _page(request, "account/sign_up.html", form)
    try:
        throttle.count([Subject("reset", address)], now=timezone.now())
        announce.sign_up_asked(address, request.build_absolute_uri("/").rstrip("/"))
    except throttle.TooManyGuesses:
        pass  # an address that has got several lately gets no more, without a word
    return render(request, "account/sign_up_sent.html")


@masks_path
@sensitive_post_parameters("password")
@require_http_methods(METHODS)
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Make the account of a link, and log in."""
    _check_open()
    try:
        address = sign_up.address_in(token)
        form = AccountForm(request.POST or None)
        if request.method == "POST" and _may_make(form, address):
            return _made(request, form, address)
    except sign_up.SignUpLinkDead:
        return render(request, "account/sign_up_dead.html", status=404)
    except NameTaken as error:  # at the same moment
        form.add_error("username", error)
    return _page(request, "account/sign_up_confirm.html", form, address=address)


def _check_open() -> None:
    if settings.SIGNUP != "OPEN":
        raise Http404


def _may_make(form: AccountForm, address: str) -> bool:
    """Whether the form is valid. A link reveals of only a few names that they are taken."""
    try:
        guess = throttle.count([Subject("names", address)], now=timezone.now())
    except throttle.TooManyGuesses:
        form.errors.clear()  # the errors would reveal that the name is taken
        form.add_error(None, TOO_MANY_NAMES)
        return False
    if form.is_valid() or not form.is_name_taken:
        throttle.take_back(guess)
    return form.is_valid()


def _made(request: HttpRequest, form: AccountForm, address: str) -> HttpResponse:
    typed = form.cleaned_data
    account = sign_up.make_account(typed["username"], typed["password"], address)
    login(request, account, backend=settings.AUTHENTICATION_BACKENDS[0])
    response = redirect(settings.LOGIN_REDIRECT_URL)
    devices.remember(request, response, account)
    return response


def _page(
    request: HttpRequest, template: str, form: SignUpForm | AccountForm, **more: str
) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    if form.has_error("__all__", code=TOO_MANY):
        status = 429
    domains = " or ".join(settings.SIGNUP_DOMAINS)
    return render(request, template, {"form": form, "domains": domains, **more}, status=status)

"""Log-in and accounts: the pages of allauth that are offered, single sign-on, and a sign-up of our own."""

from __future__ import annotations

from allauth.account.views import (
    account_inactive,
    logout,
    password_reset_done,
    password_reset_from_key_done,
)
from django.urls import include, path, re_path

from requests_app.views import account_data, sign_on, sign_up
from requests_app.views.account import LoginView, PasswordChangeView, ReauthenticateView, home
from requests_app.views.account_email import AddressView, ConfirmAddressView
from requests_app.views.account_name import account_name
from requests_app.views.password_reset import NewPasswordView, ResetAskView

urlpatterns = [
    path("oidc/<slug:provider_id>/login/", sign_on.begin, name="openid_connect_login"),
    path(
        "oidc/<slug:provider_id>/login/callback/",
        sign_on.callback,
        name="openid_connect_callback",
    ),
    path("", home, name="account_home"),
    path("login/", LoginView.as_view(), name="account_login"),
    path("signup/", sign_up.ask, name="account_signup"),
    path("signup/<str:token>/", sign_up.confirm, name="account_signup_confirm"),
    path("logout/", logout, name="account_logout"),
    path("inactive/", account_inactive, name="account_inactive"),
    path("name/", account_name, name="account_name"),
    path("data/", account_data.account_data, name="account_data"),
    path("delete/", account_data.delete_account, name="account_delete"),
    path("email/", AddressView.as_view(), name="account_email"),
    re_path(
        r"^confirm-email/(?P<key>[-:\w]+)/$",
        ConfirmAddressView.as_view(),
        name="account_confirm_email",
    ),
    path("reauthenticate/", ReauthenticateView.as_view(), name="account_reauthenticate"),
    path("factors/", include("allauth.mfa.urls")),
    path("password/change/", PasswordChangeView.as_view(), name="account_change_password"),
    path("password/reset/", ResetAskView.as_view(), name="account_reset_password"),
    path("password/reset/done/", password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        NewPasswordView.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]

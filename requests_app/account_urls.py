"""The pages of allauth that are offered: no sign-up, no mail, no reset by link."""

from __future__ import annotations

from allauth.account.views import account_inactive, logout
from django.urls import path

from requests_app.views.account import LoginView, PasswordChangeView

urlpatterns = [
    path("login/", LoginView.as_view(), name="account_login"),
    path("logout/", logout, name="account_logout"),
    path("inactive/", account_inactive, name="account_inactive"),
    path("password/change/", PasswordChangeView.as_view(), name="account_change_password"),
]

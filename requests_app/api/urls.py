"""The API's paths, mounted at /api/v1/."""

from __future__ import annotations

from django.urls import path

from requests_app.api.api import api

urlpatterns = [path("", api.urls)]

"""The application of fal requests."""

from __future__ import annotations

from django.apps import AppConfig

from requests_app import checks  # noqa: F401  (they register themselves)


class RequestsAppConfig(AppConfig):
    """Nothing happens on start."""

    name = "requests_app"
    verbose_name = "fal requests"

"""The application of fal requests."""

from __future__ import annotations

from django.apps import AppConfig


class RequestsAppConfig(AppConfig):
    """Registers the system checks; nothing else happens on start."""

    name = "requests_app"
    verbose_name = "fal requests"

    def ready(self) -> None:
        """Import the checks, which register themselves."""
        from requests_app import checks  # noqa: F401

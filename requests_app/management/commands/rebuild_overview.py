"""`manage.py rebuild_overview`: have the figures of all requests counted anew, by the workers in the background."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from requests_app.overview import rolling


class Command(BaseCommand):
    """Begin again with the newest request; figures of deleted requests stay."""

    help = "Have the figures of the overview counted anew, in the background."

    def handle(self, *args: Any, **options: Any) -> None:
        rolling.start_again()
        self.stdout.write("The workers count all requests, newest first.")

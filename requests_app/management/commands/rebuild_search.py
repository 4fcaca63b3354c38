"""`manage.py rebuild_search`: have the whole history indexed anew, by the workers in the background."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from requests_app.search import history


class Command(BaseCommand):
    """Begin again with the newest row; what is indexed is found meanwhile."""

    help = "Have the search index of all requests made anew, in the background."

    def handle(self, *args: Any, **options: Any) -> None:
        history.start_again()
        self.stdout.write(
            "The workers index all requests, newest first. The list says how much a search covers."
        )

"""`python -m tests.benchmarks [NAME…]`: measure all but what takes long, or those that are named."""

from __future__ import annotations

import argparse
import os
import tempfile
from importlib import import_module

NAMES = (
    "start",
    "latency",
    "listing",
    "rendering",
    "searching",
    "overview",
    "pages",
    "sweeping",
    "draining",
    "submitting",
    "realtime",
    "sse",
    "stalled",
    "webhooks",
    "unhooked",
    "unanswered",
    "fanout",
    "pixel",
    "bodies",
    "gateway",
    "isolation",
)
LONG = ("crowd", "history", "soak")  # only when named


def main() -> None:
    """One after the other, in a data folder of their own."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES + LONG)}")
    names = parser.parse_args().names or NAMES
    if unknown := set(names) - {*NAMES, *LONG}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder)
        for name in names:
            import_module(f"tests.benchmarks.{name}").main()


def prepare(folder: str) -> None:
    """Django for those that measure inside this process, on a database of this run."""
    os.environ["DATA_DIR"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


if __name__ == "__main__":
    main()

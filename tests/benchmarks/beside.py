"""What one would look at otherwise: `python -m tests.benchmarks.beside admin|flower ROWS` prints its CPU for a list of 50.

The admin shows the rows of the database in DATA_DIR; Flower shows as many tasks of its own. Prints milliseconds,
or a sentence when Flower (PyPI `flower`, not among our packages) is not installed.
"""

from __future__ import annotations

import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from urllib.parse import urlencode
from uuid import uuid4

ROUNDS, WARM = 60, 5
COLUMNS = (
    "public_id", "status", "endpoint_id", "summary", "person", "created_at", "ended_at", "fal_request_id",
    "origin", "seed", "error_type", "webhook_digest", "output_size", "billable_units", "cost",
)  # fmt: skip
urlpatterns: list[object] = []  # of the admin


def cpu_ms(act: Callable[[], object], clock: Callable[[], float]) -> float:
    """The median of many rounds."""
    spent = []
    for number in range(ROUNDS + WARM):
        began = clock()
        act()
        spent += [clock() - began] * (number >= WARM)
    return sorted(spent)[len(spent) // 2] * 1000


def admin() -> float:
    """Django's own list of the same rows, stock but for its columns and without the count of all rows."""
    import django
    from django.conf import settings

    middleware = (
        "sessions.middleware.SessionMiddleware", "auth.middleware.AuthenticationMiddleware",
        "messages.middleware.MessageMiddleware",
    )  # fmt: skip
    changed = {
        "INSTALLED_APPS": [*settings.INSTALLED_APPS, "django.contrib.admin"],
        "MIDDLEWARE": [
            *(f"django.contrib.{name}" for name in middleware),
            "allauth.account.middleware.AccountMiddleware",  # without which it does not start
        ],
        "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"],
        "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
        "ROOT_URLCONF": sys.modules[__name__],
        "ALLOWED_HOSTS": ["*"],
    }
    for name, value in changed.items():
        setattr(settings, name, value)
    django.setup()
    from django.contrib import admin as site
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import path

    from requests_app.models import FalRequest

    shown = {
        "list_display": COLUMNS, "list_per_page": 50, "list_select_related": ("person",), "search_fields": ("summary",),
        "list_filter": ("status", "mode"), "show_full_result_count": False,
    }  # fmt: skip
    site.site.register(FalRequest, type("RequestAdmin", (site.ModelAdmin,), shown))
    urlpatterns.append(path("admin/", site.site.urls))
    browser = Client()
    browser.force_login(User.objects.create_superuser(f"admin-{uuid4().hex[:8]}"))
    page = browser.get("/admin/requests_app/falrequest/")
    assert page.text.count('class="action-select"') == 50, page.status_code
    return cpu_ms(lambda: browser.get("/admin/requests_app/falrequest/"), time.process_time)


def flower(rows: int) -> float | str:
    """Its page of tasks and the part that this fetches, as its one thread serves them."""
    try:
        from celery import Celery
        from flower.app import Flower
        from flower.options import default_options
        from flower.urls import settings as of_flower
        from tornado.ioloop import IOLoop
    except ImportError:
        return "not installed"
    default_options.address, default_options.port = "127.0.0.1", 0
    loop = IOLoop.current()
    app = Flower(default_options, Celery(broker="memory://"), io_loop=loop, **of_flower)
    for number in range(rows):
        happened(app.events.state, number)
    port, clock = app.start_http_server(), time.pthread_getcpuclockid(threading.get_ident())
    table = {
        "draw": 1, "start": 0, "length": 50, "search[value]": "", "order[0][column]": 0, "order[0][dir]": "desc",
        "columns[0][data]": "received",
    }  # fmt: skip
    addresses = [
        f"http://127.0.0.1:{port}/{path}"
        for path in ("tasks", f"tasks/datatable?{urlencode(table)}")
    ]
    found: list[float] = []

    def look() -> None:
        for address in addresses:
            with urllib.request.urlopen(address) as reply:
                assert reply.read()

    def measure() -> None:
        found.append(cpu_ms(look, lambda: time.clock_gettime(clock)))
        loop.add_callback(loop.stop)

    threading.Thread(target=measure, daemon=True).start()
    loop.start()
    return found[0]


def happened(state: object, number: int) -> None:
    """Tell Flower of a task that has succeeded."""
    prompt = {"prompt": f"a lighthouse at dusk, number {number}"}
    fields = {"uuid": str(uuid4()), "hostname": "worker@here", "pid": 1, "utcoffset": 0}
    for clock, what in enumerate(("received", "started", "succeeded"), number * 3):
        news = {
            "type": f"task-{what}",
            "timestamp": time.time(),
            "clock": clock,
            "local_received": time.time(),
        }
        told = {
            "name": f"acme.model_{number % 7}",
            "args": "()",
            "kwargs": str(prompt),
            "result": "1",
            "runtime": 4.0,
        }
        state.event(fields | news | told)  # type: ignore[attr-defined]


if __name__ == "__main__":
    print(admin() if sys.argv[1] == "admin" else flower(int(sys.argv[2])))

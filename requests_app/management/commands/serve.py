"""Start everything with one command and stop it cleanly."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from dashboard import local_tls
from dashboard.static_files import use_collected
from requests_app import lifecycle
from requests_app.checks import is_debug_exposed
from requests_app.gateway.application import PREFIX, SPOOL, store_leftovers
from requests_app.gateway.recording import store_left_calls
from requests_app.sandbox import SandboxServer
from requests_app.teams import setup


class Command(BaseCommand):
    """`manage.py serve`: migrate, sandbox if there is no key, worker, beat, web server."""

    help = "Serve the dashboard; without REDIS_URL the worker runs in this process too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument(
            "--tls",
            action="store_true",
            help="speak HTTPS, with a certificate of this installation's own authority",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Start in the order of dependence, stop in reverse."""
        if options["tls"]:
            _use_local_tls(options["host"])  # before the application reads the settings
        if not settings.DEBUG:
            use_collected()  # before the application is made, which looks for files once
        # Imported here: Daphne installs the process's reactor, which no other command needs.
        from dashboard.asgi import application
        from dashboard.embedded import Embedded
        from dashboard.memory import return_what_is_freed
        from dashboard.server import free_port, serve
        from requests_app.worker.loop import worker_loop

        return_what_is_freed()
        try:
            port = free_port(options["host"], options["port"])
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        _migrate()
        sandbox = self._start_sandbox(port) if settings.SANDBOX else None
        embedded = None if settings.REDIS_URL else Embedded()
        store_left_calls(settings.DATA_DIR / SPOOL)
        lifecycle.resume(now=timezone.now(), alone=embedded is not None)
        url, tls = _url(options["host"], port), settings.LOCAL_TLS
        try:
            if embedded:
                embedded.start()
            serve(
                application, options["host"], port, tls=tls.server if tls else None, streamed=PREFIX,
                on_ready=lambda: self._greet(url, options["host"]), on_loop=store_leftovers,
            )  # fmt: skip
        finally:
            if embedded:
                embedded.stop()
            worker_loop.stop()
            if sandbox:
                sandbox.stop()

    def _start_sandbox(self, port: int) -> SandboxServer:
        # Only the sandbox calls PUBLIC_URL, and it runs on this machine.
        tls = settings.LOCAL_TLS
        settings.PUBLIC_URL = settings.PUBLIC_URL or f"{_scheme()}://127.0.0.1:{port}"
        sandbox = SandboxServer(
            port=settings.SANDBOX_PORT,
            state=settings.DATA_DIR / "sandbox.sqlite3",
            trusted=tls.trust if tls else None,
        )
        try:
            return sandbox.start()
        except OSError as error:
            raise CommandError(
                f"The sandbox cannot listen on port {settings.SANDBOX_PORT} ({error.strerror}). "
                "Set SANDBOX_PORT to a free one."
            ) from error

    def _greet(self, url: str, host: str) -> None:
        """Print the address and how to log in."""
        lines = [f"Faldeck is ready: {url}/"]
        if tls := settings.LOCAL_TLS:
            lines.append(
                f"Programs trust it with: export SSL_CERT_FILE={shlex.quote(str(tls.trust))}"
            )
            lines.append(f"Node.js with NODE_EXTRA_CA_CERTS, browsers by import: {tls.authority}")
        if settings.SANDBOX:
            lines.append(f"Sandbox instead of fal (no FAL_KEY): {settings.SANDBOX_URL}")
            lines += _demo_login()
        elif link := setup.issue_setup_link(url):
            lines.append(f"First owner and team (works once): {link}")
        if is_debug_exposed(host):
            lines.append(
                "WARNING: DEBUG is on. Anyone who reaches this address sees settings, code and inputs "
                "with every error. Unset DEBUG."
            )
        lines.append("Stop with Ctrl-C.")
        self.stdout.write("\n".join(["", *lines, ""]))
        self.stdout.flush()


def _demo_login() -> list[str]:
    username, password = setup.ensure_demo()
    if password:
        return [f"Log in as {username} with password {password}"]
    return [
        f"Log in as {username}; the password was printed at the first start "
        f"(manage.py changepassword {username} sets another)."
    ]


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def _url(host: str, port: int) -> str:
    if settings.PUBLIC_URL and not settings.SANDBOX:
        return settings.PUBLIC_URL
    shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1") else host  # noqa: S104  # nosec B104  # compared, not bound
    return f"{_scheme()}://{shown}:{port}"


def _scheme() -> str:
    return "https" if settings.LOCAL_TLS else "http"


def _use_local_tls(host: str) -> None:
    """Have certificates, and cookies that travel by TLS alone.

    No HSTS: it would close plain HTTP on all ports of "localhost", for other programs too.
    """
    if settings.BEHIND_PROXY or urlsplit(settings.PUBLIC_URL).scheme == "http":
        raise CommandError(
            "--tls is for a server that browsers and programs reach directly, by https. Unset "
            "BEHIND_PROXY, and a PUBLIC_URL that begins with http:."
        )
    listens_on = [] if host in ("0.0.0.0", "::") else [host]  # noqa: S104  # nosec B104  # compared, not bound
    hosts = [name.strip("[]") for name in settings.ALLOWED_HOSTS if name.lstrip(".") == name]
    names = [name for name in (*hosts, *listens_on) if "*" not in name]
    try:
        settings.LOCAL_TLS = local_tls.ensure(settings.DATA_DIR / "tls", names)
    except (OSError, ValueError) as error:
        raise CommandError(
            f"The certificates in {settings.DATA_DIR / 'tls'} cannot be used: {error}. Without that folder "
            "they are made anew, and have to be trusted again."
        ) from error
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-faldeck", "__Host-csrftoken"

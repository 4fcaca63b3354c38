"""What most tests need: people, their team, quiet brokers."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import channels.db
import pytest
from allauth.account.internal.flows.login import record_authentication
from channels.layers import get_channel_layer
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import close_old_connections, connection
from django.dispatch import receiver
from django.test import Client
from django.test.utils import teardown_databases
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from dashboard.celery import app
from requests_app.api import rate
from requests_app.keys import ring
from requests_app.models import FalRequest, Role, Team
from requests_app.views import page_rate
from requests_app.webhooks import deliveries
from tests import databases
from tests.browsers import Browser
from tests.builders import make_person, make_queued, make_request
from tests.importing import import_in_turns
from tests.process.prepared import Prepared
from tests.process.serving import Serving
from tests.sampling import runs_all, sample
from tests.signing import KeyHost, Signer
from tests.spreading import OneBrowser, has_one_browser

# How quick a machine makes examples, or runs one, is no property of the code.
hypothesis_settings.register_profile(
    "faldeck", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("faldeck")


def pytest_configure() -> None:
    """What holds for every test, set once: a fixture for each would be paid 11,000 times."""
    # Argon2 is slow on purpose; tests log in all the time.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Every Client makes the middleware anew, which otherwise looks at all static files.
    django_settings.WHITENOISE_AUTOREFRESH = True
    databases.without_permissions()
    # Messages to workers go nowhere unless a test starts one: no worker reads this broker.
    app.conf.broker_url = "memory://localhost/"
    # Test processes side by side have a database each; this keeps them apart in a shared Redis.
    if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and django_settings.REDIS_URL:
        django_settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] += worker


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Half a million objects of the tests themselves live to the end: looking for garbage passes them by."""
    gc.disable()
    try:
        import_in_turns(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is left out, before it is."""
    return "slow tests: " + ("all" if runs_all(config) else "every tenth; SLOW=all for all of them")


@pytest.hookimpl(trylast=True)  # after -m and -k: a tenth of what these have left
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out nine of ten slow tests, unless all are wanted."""
    if runs_all(config):
        return
    kept, left_out = sample(items)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


@pytest.hookimpl(optionalhook=True)  # there are runs without xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneBrowser | None:
    """Give all tests of the browser to one process, or leave it to the option."""
    is_one = has_one_browser(config, is_whole=runs_all(config))
    return OneBrowser(config, log) if is_one else None


@pytest.fixture(autouse=True)
def _no_keys_of_other_tests() -> None:
    """fal keys are kept in memory for some seconds, and calls are counted there for minutes."""
    ring.forget()
    for buckets in (page_rate.people, page_rate.addresses, rate.strangers):
        buckets.forget()


@pytest.fixture(autouse=True)
def _threads_give_connections_back() -> None:
    """Channels' test communicators replace this function while one waits; two that overlap would leave it replaced.

    Every thread of every later test then kept its connection, until the pool had none.
    """
    channels.db.close_old_connections = close_old_connections


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For what one test process makes and all use."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session", autouse=True)
def _prepared_installations(shared_folder: Path) -> None:
    """Test processes side by side share what a first start makes."""
    Serving.prepared = Prepared(shared_folder / "prepared", shared_folder / databases.MIGRATED)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: Any,
    shared_folder: Path,
) -> Iterator[None]:
    """In place of pytest-django's; at the end no thread's forgotten session keeps the database from going."""
    with django_db_blocker.unblock():
        made = databases.set_up(shared_folder)
    yield
    with django_db_blocker.unblock():
        _end_other_sessions()
        teardown_databases(made, verbosity=0)


def _end_other_sessions() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def team(db: None) -> Team:
    """The team of owner, teammate and viewer."""
    return Team.objects.create(name="Acme")


@pytest.fixture
def owner(team: Team) -> User:
    """Who made the team."""
    return make_person("olga", team=team, role=Role.OWNER)


@pytest.fixture
def teammate(team: Team) -> User:
    """A member of the same team."""
    return make_person("tom", team=team)


@pytest.fixture
def viewer(team: Team) -> User:
    """A member who may only look."""
    return make_person("vera", team=team, role=Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody of another team."""
    return make_person("sam", team=Team.objects.create(name="Other"), role=Role.OWNER)


@pytest.fixture
def row(team: Team, owner: User) -> FalRequest:
    """A request of the owner as the form makes it: pending."""
    return make_request(team=team, person=owner)


@pytest.fixture
def queued(team: Team, owner: User) -> FalRequest:
    """A request of the owner in fal's queue."""
    return make_queued(team=team, person=owner)


@pytest.fixture
def as_owner(owner: User) -> Client:
    """A browser in which the owner is logged in."""
    return _logged_in(owner)


@pytest.fixture
def as_stranger(stranger: User) -> Client:
    """A browser in which the stranger is logged in."""
    return _logged_in(stranger)


@pytest.fixture
def as_viewer(viewer: User) -> Client:
    """A browser in which the viewer is logged in."""
    return _logged_in(viewer)


@receiver(user_logged_in)
def _fresh(request: Any, user: User, **_: Any) -> None:
    """`force_login` counts as a log-in of just now, as one on the page does."""
    record_authentication(request, user, "test", reauthenticated=True)


def _logged_in(user: User) -> Client:
    client = Browser()
    client.force_login(user)
    return client


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Any]:
    """A fal on this machine, for the whole run."""
    from requests_app.sandbox import SandboxServer

    with SandboxServer() as server:
        yield server


@pytest.fixture
def at_sandbox(sandbox: Any, settings: Any) -> Iterator[Any]:
    """The settings point at the sandbox; its faults are gone afterwards."""
    settings.FAL_KEY = "sandbox:sandbox"
    settings.FAL_RUN_URL = f"{sandbox.url}/run"
    settings.FAL_QUEUE_URL = f"{sandbox.url}/queue"
    settings.FAL_REST_URL = f"{sandbox.url}/rest"
    settings.FAL_API_URL = f"{sandbox.url}/api"
    settings.FAL_JWKS_URL = f"{sandbox.url}/rest/.well-known/jwks.json"
    settings.FAL_REALTIME_URL = f"{sandbox.url}/run".replace("http", "ws", 1)
    settings.FAL_MEDIA_HOSTS = [*settings.FAL_MEDIA_HOSTS, sandbox.url]
    settings.FAL_UPLOAD_HOSTS = [sandbox.url]
    settings.PUBLIC_URL = ""
    yield sandbox
    sandbox.faults.clear()


@pytest.fixture
def signer() -> Signer:
    """fal's private key."""
    return Signer()


@pytest.fixture
def key_host(signer: Signer, settings: Any) -> Iterator[KeyHost]:
    """The key set fal publishes; our cache starts and ends empty."""
    host = KeyHost(signer)
    settings.FAL_JWKS_URL = host.url
    settings.FAL_KEY = "key:secret"
    settings.FAL_USER_ID = ""
    deliveries.key_cache.cache_clear()
    yield host
    host.close()
    deliveries.key_cache.cache_clear()


@pytest.fixture
def in_memory_layer(settings: Any) -> Any:
    """The embedded mode's channel layer, whatever the run uses: it loses no message."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "dashboard.layers.ThreadSafeInMemoryLayer"}}
    return get_channel_layer()

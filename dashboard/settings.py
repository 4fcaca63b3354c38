"""Settings. They work with an empty environment; the README's table lists every variable."""

from __future__ import annotations

import os
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from dashboard import file_modes
from dashboard.env import (
    env_bool,
    env_choice,
    env_database,
    env_int,
    env_list,
    env_networks,
    env_template,
    env_text,
    env_url,
    kept_secret,
    origin_of,
)
from dashboard.local_apps import env_local_apps
from dashboard.logs import LOGGING as LOGGING
from dashboard.page_policy import page_policy
from dashboard.sign_on import *  # noqa: F403

if TYPE_CHECKING:
    from dashboard.local_tls import LocalTls

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

# All data of this installation (database, secrets, sandbox) is under one folder.
file_modes.hide_new_files()
DATA_DIR = Path(env_text("DATA_DIR", str(BASE_DIR / "var"))).resolve()
try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"DATA_DIR {str(DATA_DIR)!r} cannot be used: {error}") from error

SECRET_KEY = env_text("SECRET_KEY") or kept_secret(DATA_DIR / "secret_key")
# Secrets that encrypt the teams' fal keys, newest first; empty: a file in DATA_DIR has them.
ENCRYPTION_KEYS = env_list("ENCRYPTION_KEYS")
DEBUG = env_bool("DEBUG", default=False)

# --- fal ---------------------------------------------------------------------------------------
FAL_KEY = env_text("FAL_KEY")
FAL_OPENAPI = "https://fal.ai/api/openapi/queue/openapi.json?endpoint_id={endpoint_id}"
_UPSTREAM = {
    "FAL_RUN_URL": ("https://fal.run", "/run"),
    "FAL_QUEUE_URL": ("https://queue.fal.run", "/queue"),
    "FAL_REST_URL": ("https://rest.fal.ai", "/rest"),
    "FAL_API_URL": ("https://api.fal.ai", "/api"),
    "FAL_JWKS_URL": ("https://rest.fal.ai/.well-known/jwks.json", "/rest/.well-known/jwks.json"),
}
SANDBOX_PORT = env_int("SANDBOX_PORT", 8900)
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
# Without a key and a custom upstream the sandbox on this machine replaces fal.
SANDBOX = env_bool("SANDBOX", default=not FAL_KEY and not any(env_text(name) for name in _UPSTREAM))


def _upstream(name: str) -> str:
    fal, sandbox_path = _UPSTREAM[name]
    return env_url(name, SANDBOX_URL + sandbox_path if SANDBOX else fal)


FAL_RUN_URL = _upstream("FAL_RUN_URL")
FAL_QUEUE_URL = _upstream("FAL_QUEUE_URL")
FAL_REST_URL = _upstream("FAL_REST_URL")
FAL_API_URL = _upstream("FAL_API_URL")
# Where endpoint documents are; `{endpoint_id}` stands for the id.
FAL_OPENAPI_URL = env_template(
    "FAL_OPENAPI_URL",
    f"{SANDBOX_URL}/openapi?endpoint_id={{endpoint_id}}" if SANDBOX else FAL_OPENAPI,
    "{endpoint_id}",
)
FAL_JWKS_URL = _upstream("FAL_JWKS_URL")
FAL_REALTIME_URL = env_url(
    "FAL_REALTIME_URL",
    FAL_RUN_URL.replace("http", "ws", 1),
    schemes=("wss", "ws"),
)
LOCAL_APPS = env_local_apps("LOCAL_APPS")  # own apps, for which Faldeck is the queue
if SANDBOX and not FAL_KEY:
    FAL_KEY = "sandbox:sandbox"
# The fal account that signs our webhooks; empty: taken from the first genuine delivery.
FAL_USER_ID = env_text("FAL_USER_ID")
# Where outputs may be shown from, for the Content-Security-Policy.
FAL_MEDIA_HOSTS = env_list("FAL_MEDIA_HOSTS", "https://fal.media,https://*.fal.media")
# Where browsers may send files to, for the same policy: the hosts of the addresses that fal signs.
FAL_UPLOAD_HOSTS = env_list("FAL_UPLOAD_HOSTS", "https://fal.media,https://*.fal.media")
if SANDBOX:
    FAL_MEDIA_HOSTS.append(SANDBOX_URL)
    FAL_UPLOAD_HOSTS.append(SANDBOX_URL)
UPLOAD_LIMIT_BYTES = env_int("UPLOAD_LIMIT", 2 * 1024 * 1024 * 1024, least=1024)

# Where fal can reach this installation; empty: no webhooks, polling alone finds every end.
PUBLIC_URL = env_url("PUBLIC_URL")
# Whether webhooks are taken from fal's network addresses alone, and from which others they are.
WEBHOOK_ADDRESS_CHECK = env_choice("WEBHOOK_ADDRESS_CHECK", "OFF", ("OFF", "FAL", "FAL-OR-WARN"))
WEBHOOK_EXTRA_ADDRESSES = env_networks("WEBHOOK_EXTRA_ADDRESSES")
RUN_TIMEOUT_S = env_int("RUN_TIMEOUT", 600, least=1)
STREAM_TIMEOUT_S = env_int("STREAM_TIMEOUT", 3600, least=1)
OUTPUT_LIMIT_BYTES = env_int("OUTPUT_LIMIT", 256 * 1024 * 1024, least=1024)
# Bytes of all thumbnails on disk; 0: none are made, and pages load the pictures themselves.
AUDIT_DAYS = env_int("AUDIT_DAYS", 0)  # 0: the audit trail is kept for ever
THUMBNAIL_LIMIT_BYTES = env_int("THUMBNAIL_LIMIT", 1024 * 1024 * 1024)
# of all exports of one team that are kept, and for how long each is
EXPORT_LIMIT_BYTES = env_int("EXPORT_LIMIT", 10 * 1024 * 1024 * 1024)
EXPORT_HOURS = env_int("EXPORT_HOURS", 24, least=1)
RECORD_FRAMES = env_int("RECORD_FRAMES", 100_000, least=1)  # of one stream or session
RECORD_BYTES = env_int("RECORD_BYTES", 256 * 1024 * 1024, least=1024)
REALTIME_SESSIONS = env_int("REALTIME_SESSIONS", 10, least=1)  # open at once, per user
# A minute, in each process: of a token; of a person, or an address without any; of a key at the gateway.
API_CALLS_PER_MINUTE = env_int("API_CALLS_PER_MINUTE", 12_000, least=1)
PAGES_PER_MINUTE = env_int("PAGES_PER_MINUTE", 6_000, least=1)
GATEWAY_CALLS_PER_MINUTE = env_int("GATEWAY_CALLS_PER_MINUTE", 60_000, least=1)
SOCKETS_PER_USER = env_int("SOCKETS_PER_USER", 100, least=1)  # open at once, in each process
OPEN_PER_TEAM = env_int("OPEN_PER_TEAM", 20_000, least=1)  # requests that have not ended
OPEN_PER_USER = env_int("OPEN_PER_USER", 10_000, least=1)  # of them, one user's in one team
POLLS_PER_S = env_int("POLLS_PER_S", 50, least=1)  # status questions to fal, of all processes
BODY_LIMIT_BYTES = env_int("BODY_LIMIT", 32 * 1024 * 1024, least=1024)
GATEWAY_BODY_LIMIT_BYTES = env_int("GATEWAY_BODY_LIMIT", 1024 * 1024 * 1024, least=1024)
METRICS_TOKEN = env_text("METRICS_TOKEN")  # for /metrics; empty: direct local clients alone
METRICS_PORT = env_int("METRICS_PORT", 0)  # of a worker's own metrics, on 127.0.0.1; 0: none

# --- Django ------------------------------------------------------------------------------------
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS: list[str] = []
if _public.hostname:
    ALLOWED_HOSTS.append(_public.hostname)
    CSRF_TRUSTED_ORIGINS.append(origin_of(PUBLIC_URL))

INSTALLED_APPS = [
    "daphne",
    "requests_app",  # before django.contrib.auth, whose createsuperuser it replaces
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "ninja",
]

MIDDLEWARE = [
    "dashboard.stack_room.stack_room",
    # Before the rest: what the others add is for pages. A page has dozens of files, and HTTP/1.1 repeats each header.
    "dashboard.static_files.StaticFiles",
    "dashboard.logcontext.named_request",
    "dashboard.permissions.permissions_policy",
    "dashboard.private.private_by_default",
    # Before what answers by itself: a redirect to https has the policy too.
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dashboard.compression.CompressedPages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "requests_app.views.session_use.session_used",
    "django.middleware.common.CommonMiddleware",
    "requests_app.views.form_size.form_size",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "requests_app.views.page_rate.page_rate",
    "requests_app.views.origin.known_origin",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "requests_app.views.factor_guard.FactorGuard",
    "requests_app.views.team_guard.TeamGuard",
    "requests_app.views.recent_guard.RecentGuard",
    "requests_app.views.sight.SightGuard",
    "requests_app.views.wrong_method.wrong_method",
    "requests_app.api.edges.edges",
    "requests_app.api.rate.rate_headers",
]

ROOT_URLCONF = "dashboard.urls"
ASGI_APPLICATION = "dashboard.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "requests_app.views.context.frame",
            ],
        },
    },
]

# --- Storage -----------------------------------------------------------------------------------
_SQLITE_OPTIONS = {
    # IMMEDIATE: a read-then-write transaction waits for its turn instead of failing at once.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
        "PRAGMA mmap_size=134217728;PRAGMA cache_size=-20000;"
    ),
}
DATABASES = {"default": env_database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'faldeck.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "dashboard.sqlite3"
    DATABASES["default"]["OPTIONS"] = _SQLITE_OPTIONS
    # A file, so that the threads of a live server see the test's rows; one per run.
    _test_file = Path(tempfile.gettempdir()) / f"faldeck-test-{os.getpid()}.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": _test_file}
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # Every short database call of a socket takes a connection and returns it: opening one each
    # time would cost more than the call. `timeout`: seconds to wait for a free one.
    DATABASES["default"]["OPTIONS"] = {
        # `reconnect_timeout`: after this long a pool that cannot connect gives up, and the next
        # caller restarts it. By default it doubles its pauses, and reconnects ten seconds after a
        # server that was down for twenty.
        "pool": {"min_size": 2, "max_size": 20, "timeout": 10, "reconnect_timeout": 2},
        # A process that stalls in a transaction must not keep its rows locked.
        "options": "-c idle_in_transaction_session_timeout=10s",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env_text("REDIS_URL")
# Seconds for a Redis that accepts but does not answer: a hint is not worth a wait.
REDIS_TIMEOUTS = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "dashboard.redislayer.RedisLayer",
            "CONFIG": {"hosts": [{"address": REDIS_URL, **REDIS_TIMEOUTS}], "prefix": "faldeck"},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "dashboard.layers.ThreadSafeInMemoryLayer"}}

# --- Log-in ------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["requests_app.accounts.backend.NameBackend"]
SESSION_ENGINE = "requests_app.models.session"
PASSWORD_HASHERS = [
    f"django.contrib.auth.hashers.{one}PasswordHasher" for one in ("Argon2", "PBKDF2")
]
_validation = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_validation}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_validation}.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "requests:list"
ACCOUNT_ADAPTER = "requests_app.accounts.adapter.AccountAdapter"
# allauth's limits live in a cache, from which a flood can evict them; ours are in the database.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True  # one address; another replaces it once it is verified
ACCOUNT_EMAIL_CONFIRMATION_AUTHENTICATED_REDIRECT_URL = "account_home"
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of changes to an account, to its verified address
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Faldeck] "
MFA_ADAPTER = "requests_app.accounts.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
ACCOUNT_REAUTHENTICATION_REQUIRED = MFA_PASSKEY_LOGIN_ENABLED = MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 1  # periods of 30 s by which clocks may differ
_forms = "requests_app.forms.factors"
MFA_FORMS = {
    "authenticate": f"{_forms}.CountedCodeForm", "reauthenticate": f"{_forms}.CountedAgainForm",
    "activate_totp": f"{_forms}.AppForm", "add_webauthn": f"{_forms}.PasskeyForm",
    "authenticate_webauthn": f"{_forms}.PasskeySecondForm", "login_webauthn": f"{_forms}.PasskeyLoginForm",
    "reauthenticate_webauthn": f"{_forms}.PasskeyAgainForm",
}  # fmt: skip
PASSWORD_RESET_TIMEOUT = 4 * 3600  # seconds
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # nothing is sent, nor printed
EMAIL_HOST = env_text("EMAIL_HOST")
if EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_PORT = env_int("EMAIL_PORT", 587, least=1)
EMAIL_HOST_USER = env_text("EMAIL_USER")
EMAIL_HOST_PASSWORD = env_text("EMAIL_PASSWORD")
_email_security = env_choice("EMAIL_SECURITY", "STARTTLS", ("STARTTLS", "TLS", "NONE"))
EMAIL_USE_TLS, EMAIL_USE_SSL = _email_security == "STARTTLS", _email_security == "TLS"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env_text("EMAIL_FROM", "faldeck@localhost")
# Hosts of webhooks that may have private addresses and speak plain http.
NOTICE_HOSTS = env_list("NOTICE_HOSTS")
# The same for what is forwarded to a team's own programs.
FORWARD_HOSTS = env_list("FORWARD_HOSTS")

# --- Security ----------------------------------------------------------------------------------
HTTPS = _public.scheme == "https"
# The files of `serve --tls`, which also has the cookies sent by TLS alone.
LOCAL_TLS: LocalTls | None = None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# `__Host-`: no other site under the same domain can set it.
SESSION_COOKIE_NAME = "__Host-faldeck" if HTTPS else "faldeck"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "requests_app.views.errors.csrf_failure"
BEHIND_PROXY = env_bool("BEHIND_PROXY", default=False)
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Browsers ship a list of such names, which is hard to leave again: the operator's choice.
SECURE_HSTS_PRELOAD = HTTPS and env_bool("HSTS_PRELOAD", default=False)
# Only where the proxy tells the client's scheme; else every page would redirect to itself.
SECURE_SSL_REDIRECT = HTTPS and BEHIND_PROXY
# A redirect loses a webhook for good, and supervisors ask from this machine.
SECURE_REDIRECT_EXEMPT = [r"^hooks/", r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Only behind a proxy that sets (and strips) these headers itself.
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT_BYTES
FORM_RENDERER = "requests_app.forms.short.ShortRenderer"  # never megabytes in a page
CONTENT_SECURITY_POLICY = page_policy(FAL_MEDIA_HOSTS, FAL_UPLOAD_HOSTS)

# --- Language, time, files ---------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"  # pages carry UTC; the browser shows the reader's own zone
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# `serve` collects files under hashed names by itself; by their plain names they are found here too.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "dashboard.static_files.PageStorage"},
    # Own copies of media: in a bucket if there is one, else on this machine's disk.
    "copies": {
        "BACKEND": "requests_app.copies.local.LocalStore",
        "OPTIONS": {"location": DATA_DIR / "copies"},
    },
}
if _bucket := env_text("COPIES_BUCKET"):
    STORAGES["copies"] = {
        "BACKEND": "requests_app.copies.s3.S3Store",
        "OPTIONS": {
            "bucket_name": _bucket,
            "endpoint_url": env_url("COPIES_ENDPOINT") or None,
            "region_name": env_text("COPIES_REGION") or None,
            "access_key": env_text("COPIES_ACCESS_KEY") or None,
            "secret_key": env_text("COPIES_SECRET_KEY") or None,
        },
    }
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MAX_AGE = 60  # seconds, for names without a hash: a new version must show soon

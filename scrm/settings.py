"""Settings, all from the environment (read by `scrm.env`), with safe local defaults."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext
from cryptography.fernet import Fernet, MultiFernet
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from scrm import env, services

django_stubs_ext.monkeypatch()  # lets fields and querysets be annotated with their types

BASE_DIR = Path(__file__).resolve().parent.parent


def _secret(name: str) -> str:
    """A secret that production must be given and a development machine makes for itself."""
    return env.required(name, "Production needs it; see .env.example.") if PRODUCTION else _own_secret(name)


def _own_secret(name: str) -> str:
    return env.text(name) or services.dev_secret(name)


def _encryption_keys() -> list[str]:
    keys = [key.strip() for key in _secret("ENCRYPTION_KEYS").split(",") if key.strip()]
    try:
        MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise env.BadSetting("ENCRYPTION_KEYS must be url-safe base64 keys of 32 bytes, with commas.") from error
    return keys


# -- where we run -------------------------------------------------------------------------------------------------
try:
    PRODUCTION = env.flag("PRODUCTION")
    DEBUG = env.flag("DEBUG") and not PRODUCTION
    SECRET_KEY = _secret("SECRET_KEY")
    ENCRYPTION_KEYS = _encryption_keys()
    ALLOWED_HOSTS = (
        [host for host in env.required("ALLOWED_HOSTS", "Name the hosts, with commas.").split(",") if host]
        if PRODUCTION
        else env.names("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]", "testserver"))
    )
    CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS")
    PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{env.number('PORT', 8000)}").rstrip("/")
    BEHIND_PROXY = env.flag("BEHIND_PROXY")
    if PRODUCTION:
        env.required("DATABASE_URL", "Production needs its own PostgreSQL.")
        env.required("REDIS_URL", "Production needs its own Redis or Valkey.")
    DATABASE_URL = services.database_url()
    REDIS_URL = services.redis_url()
    PREPARE_STATEMENTS = env.flag("PREPARE_STATEMENTS", True)  # off behind a pooler that shares connections
except env.BadSetting as error:
    raise ImproperlyConfigured(str(error)) from error

# -- the sandbox networks -----------------------------------------------------------------------------------------
SANDBOX_URL = env.text("SANDBOX_URL", "").rstrip("/")  # empty: no sandbox
SHARED_DATA = Path(env.text("SHARED_DATA", str(BASE_DIR.parent / "shared" / "data")))

# -- apps ---------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "axes",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "accounts",
    "contacts",
    "channels_ingest",
    "conversations",
    "insights",
    "scrm",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.leading.lead_to_pages",
    "accounts.middleware.own_time_zone",
    "accounts.middleware.own_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "scrm.urls"
WSGI_APPLICATION = "scrm.wsgi.application"
ASGI_APPLICATION = "scrm.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "loaders": [("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"])]
            if not DEBUG
            else ["django.template.loaders.filesystem.Loader"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "scrm.context.shell",
            ],
        },
    }
]

# -- memory -------------------------------------------------------------------------------------------------------
DATABASES: dict[str, Any] = {
    "default": {
        **dj_database_url.parse(
            DATABASE_URL, engine=services.database_engine(), conn_max_age=60, conn_health_checks=True
        ),
        "ATOMIC_REQUESTS": False,
    }
}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=5,
    keepalives=1,
    keepalives_idle=15,
    keepalives_interval=5,
    keepalives_count=3,  # a database that fell silent is given up after half a minute
    tcp_user_timeout=20_000,  # milliseconds
    # for a row with all it refers to, the best order of eight joins takes longer to find than any of them to run
    options="-c statement_timeout=30000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
    " -c join_collapse_limit=5"
    # what is prepared is planned once, not anew for each of its first values
    " -c plan_cache_mode=force_generic_plan"
    # on a disk without moving parts a page in the middle costs what the next one does: PostgreSQL takes four times that
    # for granted, and reads whole tables where an index would do
    " -c random_page_cost=1.1",
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS: dict[str, Any] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_connect_timeout": 2}], "prefix": "scrm"},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# -- background work ----------------------------------------------------------------------------------------------
CELERY_BROKER_URL = services.broker_url(REDIS_URL)
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# With Redis the lowest number goes first: an answer of ours does not wait behind a burst of webhooks.
CELERY_TASK_ROUTES = {
    "conversations.tasks.send_due": {"priority": 0},
    "conversations.tasks.tell_due": {"priority": 0},
    "channels_ingest.tasks.pull_due": {"priority": 0},
    "conversations.tasks.index_texts": {"priority": 6},
    "conversations.tasks.understand_texts": {"priority": 6},
    "conversations.tasks.reconcile_due": {"priority": 6},
    "conversations.tasks.recheck_due": {"priority": 6},
    "*": {"priority": 3},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # KiB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # or a Valkey without memory would end the workers
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "max_retries": 1,
}

# How replies leave (all in seconds).
SEND_LEASE = env.number("SEND_LEASE", 90, least=2)  # longer than twice the longest network call
SEND_SETTLE = env.number("SEND_SETTLE", 120, least=0)  # how long an unknown send rests before it is read back
EVENT_LEASE = env.number("EVENT_LEASE", 10, least=1)  # after which a stored webhook whose worker died is tried again
PULL_PACE = env.number("PULL_PACE", 100, least=1)  # per cent of each stream's own pace: lower pulls more often
NETWORK_TIMEOUT = env.number("NETWORK_TIMEOUT", 30, least=1)
# Languages that customers are expected to write in: two-letter codes.
LANGUAGES_HEARD = env.names("LANGUAGES_HEARD", ("en", "de", "fr", "es", "it", "nl", "pt"))
KEEP_LEDGER_DAYS = env.number("KEEP_LEDGER_DAYS", 30, least=2)  # webhook bodies, pages pulled, ended notices
# What was erased, outside the database: a restored backup must not bring it back.
ERASURE_LOG = Path(env.text("ERASURE_LOG", str(services.data_dir() / "erasures.jsonl")))
WEBHOOK_LIMIT = env.number("WEBHOOK_LIMIT", 5_000_000, least=1000)  # bytes

# -- people -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # the e-mail address is unique whatever its case, by a constraint
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "inbox"
LOGOUT_REDIRECT_URL = "sign-in"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_USERNAME_FORM_FIELD = "username"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Social CRM <crm@localhost>")

# -- words and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["scrm.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# -- static files -------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(services.data_dir() / "static")) if PRODUCTION else None  # else: finders
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# -- safety -------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = PRODUCTION and env.flag("SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^health/"]
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
FILE_UPLOAD_HANDLERS = ["accounts.uploads.BoundedMemory"]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# -- the API ------------------------------------------------------------------------------------------------------
API_RATE = env.text("API_RATE", "600/min")  # for each token, in each web process
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.rest.token.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.rest.parser.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.rest.throttle.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": API_RATE},
    "EXCEPTION_HANDLER": "accounts.rest.errors.answer_error",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Social CRM API",
    "DESCRIPTION": "Contacts, threads, interactions and replies.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SORT_OPERATIONS": False,  # in the order of the addresses
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.rest.schema.refuse_unknown_fields",
    ],
}

# -- log ----------------------------------------------------------------------------------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
}

"""Every setting, read from the environment. README § Settings lists each variable with its default.

Nothing here is needed for development: without any variable the project runs on an SQLite file and
an in-memory channel layer, and keeps a secret key of its own in `var/`.
"""

import secrets
from pathlib import Path

import environs
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environs.Env()

VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)


def _own_secret_key() -> str:
    """A key made once and kept in a file only the owner can read, so a demo restarts with its cookies."""
    path = VAR_DIR / "secret_key"
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or _own_secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
# The address that people type and scan; empty means: the one the request came in on.
PUBLIC_URL = env.str("PUBLIC_URL", "").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "channels",
    "csp",
    "django_htmx",
    "polls",
    "workshops",
    "visions",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

# For the pages of people without an account (`workshops.live.pages`): these only compute, so they run in the loop.
PHONE_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

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
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- data ---------------------------------------------------------------------------------------

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'vision.sqlite3'}")}
DATABASES["default"].setdefault("OPTIONS", {})
BUSY_SECONDS = env.int("DATABASE_BUSY_SECONDS", 5)
# Connections to PostgreSQL that one server process opens at most. Four are the live engine's own: a writer,
# two that draw, one that closes what is due; the others are shared by pages, which wait for one when all are busy.
POOL_SIZE = env.int("DATABASE_POOL_SIZE", 12)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"].update(
        # IMMEDIATE: a transaction that will write takes the lock at its start, so two of them wait
        # for each other instead of failing. FULL: an acknowledged vote survives a power cut.
        transaction_mode="IMMEDIATE",
        timeout=BUSY_SECONDS,
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    )
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # Who waits longer than this hears "busy" and keeps the answer; a migration gives up its lock instead of
    # queueing everybody behind it. A short reconnect_timeout: the pool looks for a server that is back at once.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": max(2, BUSY_SECONDS),
        "options": f"-c lock_timeout={BUSY_SECONDS * 1000}",
        # A host that has vanished says nothing: found out by its silence, not after the two hours of the system.
        "keepalives_idle": max(2, BUSY_SECONDS),
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": max(2, BUSY_SECONDS) * 2000,
        "pool": {
            "min_size": min(2, POOL_SIZE),
            "max_size": POOL_SIZE,
            "timeout": BUSY_SECONDS,
            "reconnect_timeout": BUSY_SECONDS,
        }
        if POOL_SIZE
        else False,
    } | DATABASES["default"]["OPTIONS"]
    # A connection is tried before it is lent: one that a restarted server has dropped is never handed out.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
CACHES = {
    "default": {
        "BACKEND": "config.cache.SharedOrOwnCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# --- people who sign in ---------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "workshops.accounts.InvitedOnlyAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
# No mail to addresses that have no account, and none of allauth's notices, which carry an IP address.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
# Behind a proxy, tries to sign in are counted per visitor, not per proxy.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.bool("BEHIND_PROXY", False) else 0
PASSWORD_RESET_TIMEOUT = 60 * 60 * 24  # seconds; a link in a mail works for a day
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/workshops/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

EMAIL_CONFIG = env.dj_email_url("EMAIL_URL", "console:")
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIG.get("EMAIL_HOST", "")
EMAIL_PORT = EMAIL_CONFIG.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = EMAIL_CONFIG.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
DEFAULT_FROM_EMAIL = env.str("FROM_EMAIL", "Vision Workshops <workshops@localhost>")

# --- what leaves and enters a browser -------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_SSL_REDIRECT = HTTPS and env.bool("HTTPS_REDIRECT", True)
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 31536000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
if env.bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-staff" if HTTPS else "staff"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_FAILURE_VIEW = "workshops.views.errors.csrf_failure"
SEAT_COOKIE_NAME = "__Host-seat" if HTTPS else "seat"
SEAT_COOKIE_AGE = 60 * 60 * 24  # seconds; a workshop lasts an hour, a day covers a late finish
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# A transcript has names in it until they are taken out: what somebody uploads stays in memory, or is not taken.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "visions.finders.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.lean_files.LeanFiles"
    },
}

# --- words ------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "Europe/London")
USE_TZ = True
USE_I18N = True

# --- the live engine --------------------------------------------------------------------------------

LIVE_BATCH_LIMIT = env.int("LIVE_BATCH_LIMIT", 500)  # votes written in one transaction at most
LIVE_QUEUE_LIMIT = env.int("LIVE_QUEUE_LIMIT", 20_000)  # votes waiting before phones hear "busy"
# A batch that takes longer is not waited for: its database does not answer, and phones hear "busy".
LIVE_WRITE_SECONDS = env.float("LIVE_WRITE_SECONDS", BUSY_SECONDS * 2.0 + 2.0)
LIVE_MESSAGES_PER_SECOND = env.int("LIVE_MESSAGES_PER_SECOND", 0)  # per process, all screens
# Hand pictures straight to the socket where the server is one that we know; false sends through the server.
LIVE_DIRECT = env.bool("LIVE_DIRECT", True)
LIVE_LOOK_SECONDS = env.float("LIVE_LOOK_SECONDS", 3.0)  # how often a hub looks by itself
# A screen that has said nothing for so long is gone; screens ping every 25 s.
LIVE_IDLE_SECONDS = env.float("LIVE_IDLE_SECONDS", 55.0)
# A connection that has not said what it wants by then (a request, a socket's first word) is closed.
SILENT_SECONDS = env.float("SILENT_SECONDS", 15.0)
# Pages of phones that one process works at; people who are not in yet have a quarter of them.
PAGES_AT_ONCE = env.int("PAGES_AT_ONCE", 4, validate=environs.validate.Range(min=1))
PAGES_WAITING = env.int("PAGES_WAITING", 200)  # that wait for it before people are asked to come back
# Wrong codes from one address in ten minutes: slower from a tenth of it, then only a few of its codes are looked at.
CODE_FAILURES_LIMIT = env.int("CODE_FAILURES_LIMIT", 300)
# Where rehearsal phones started from the console find this server; empty: where the console was asked.
REHEARSAL_URL = env.str("REHEARSAL_URL", "")

# --- what machines ask, and logs: what happened, never who from where ---------------------------------

# Whoever shows this token may read /metrics; empty: there is no such page.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

LOG_FORMAT = env.str("LOG_FORMAT", "text", validate=environs.validate.OneOf(["text", "json"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "config.log_lines.Text"},
        "json": {"()": "config.log_lines.Json"},
    },
    "filters": {"calm": {"()": "config.log_lines.CalmOutages"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["calm"]},
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "WARNING")},
    # Daphne's and Django's own request lines carry addresses of participants: they stay silent.
    "loggers": {
        "daphne": {"level": "WARNING"},
        # A Redis that is away is one line of ours (`live.notify`), not a traceback of theirs every second.
        "channels_redis": {"level": "CRITICAL"},
        "uvicorn.access": {"level": "CRITICAL", "propagate": False},
        "django.channels.server": {"level": "CRITICAL", "propagate": False},
        "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": False},
    },
}

"""Every setting, read from the environment; docs/operating.md § Settings lists each variable with its default.

Nothing here is needed for development: without any variable the project runs on an SQLite file and
an in-memory channel layer, and keeps a secret key of its own in `var/`.
"""

from pathlib import Path

import environs
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.secret_key import read_or_create

BASE_DIR = Path(__file__).resolve().parent.parent
env = environs.Env()

VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or read_or_create(VAR_DIR / "secret_key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
# The public base URL, as people type and scan it; empty: the host of the request.
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
    "allauth.mfa",
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
    "workshops.web.readable_input.ReadableInput",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "workshops.web.private_pages.private_pages",
    "workshops.web.staff_sessions.staff_sessions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "workshops.web.second_step.SecondStep",
]

# For participants' pages (`workshops.web.admission.handler`): none of these blocks, so they run in the event loop.
PHONE_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "workshops.web.readable_input.ReadableInput",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
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
            "libraries": {
                "drawing": "workshops.web.templatetags.drawing",
                "facts": "workshops.web.templatetags.facts",
                "live": "workshops.web.templatetags.live",
                "log": "workshops.web.templatetags.log",
                "navigation": "workshops.web.templatetags.navigation",
                "prepare": "workshops.web.templatetags.prepare",
                "reports": "workshops.web.templatetags.reports",
                "picture_forms": "workshops.web.templatetags.picture_forms",
                "sharing": "workshops.web.templatetags.sharing",
            },
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
# The connection pool of one server process, for PostgreSQL. Four connections are the live engine's own: a writer,
# two that draw, one that closes polls at their deadline; pages share the others, and wait for one when all are busy.
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
    # A writer that waits longer than lock_timeout is answered "busy", and the phone keeps its answer; a migration gives
    # up its lock request instead of queueing everybody behind it. A short reconnect_timeout: the pool finds a restarted
    # server at once.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": max(2, BUSY_SECONDS),
        "options": f"-c lock_timeout={BUSY_SECONDS * 1000}",
        # TCP keepalive: find a vanished host within seconds, not after the operating system's two hours.
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
    # The pool tests a connection before it hands it out: a restarted server has dropped it.
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
        "BACKEND": "config.cache.FallbackCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# In the session: a cookie of their own would carry what they say, such as an invited address, where it can be read.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

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
    {"NAME": "workshops.people.passphrases.GuessableValidator"},
]
# The first one hashes; older hashes are still read, and made anew when their owner signs in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
ACCOUNT_ADAPTER = "workshops.people.invitations.InvitedOnlyAdapter"
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
# Posts of the sign-in page are counted by the page itself, which knows devices that have signed in before.
ACCOUNT_RATE_LIMITS = {"login": None}
# Wrong passwords for one account from everywhere together, devices that have signed in before left out.
SIGN_IN_FAILURES_EVERYWHERE = "100/h/key"
# The second step: a code of an app or a passkey, and codes on paper for the day that both are lost.
MFA_ADAPTER = "workshops.people.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "add_webauthn": "workshops.web.forms.passkeys.AddPasskeyForm",
    "authenticate_webauthn": "workshops.web.forms.passkeys.UsePasskeyForm",
}
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Vision Workshops"
# Nobody signs up, so nobody can take a stranger's address and close it with a second step of their own.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers know passkeys on https and on this computer itself.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
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
if HTTPS and EMAIL_BACKEND == "django.core.mail.backends.console.EmailBackend":
    # Links that let somebody in would stand in the log of a public server.
    raise ImproperlyConfigured("EMAIL_URL: expected a mail server (smtp+tls://…) where PUBLIC_URL is https.")
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
        "frame-src": [SELF],  # previews of cards
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
# Subdomains and the browsers' preload list: only for a domain that serves HTTPS on every host.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and env.bool("HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = HTTPS and env.bool("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they demand both settings always
if env.bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-staff" if HTTPS else "staff"
# A session of staff ends when nothing was done with it for so long, and in any case after fourteen days.
SESSION_COOKIE_AGE = (
    env.int("STAFF_IDLE_HOURS", 12, validate=environs.validate.Range(min=1, max=14 * 24)) * 3600
)
SESSION_LONGEST_AGE = 14 * 24 * 3600  # seconds
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_FAILURE_VIEW = "workshops.web.views.errors.csrf_failure"
# Begins the name of the cookie of a device that has signed in before; one an account.
DEVICE_COOKIE_PREFIX = "__Host-device-" if HTTPS else "device-"
PARTICIPANT_COOKIE_NAME = "__Host-participant" if HTTPS else "participant"
# Seconds, signed into the cookie; a workshop lasts an hour, a day covers a late finish. Of a questionnaire at least.
PARTICIPANT_COOKIE_AGE = env.int("PARTICIPANT_COOKIE_AGE", 60 * 60 * 24)
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# A transcript has names in it until it is redacted: uploads stay in memory and never reach a temporary file.
FILE_UPLOAD_MAX_MEMORY_SIZE = 12 * 2**20  # a picture as it comes from a phone
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "visions.web.finders.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- internationalisation ------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "Europe/London")
USE_TZ = True
USE_I18N = True

# --- the live engine --------------------------------------------------------------------------------

LIVE_BATCH_LIMIT = env.int("LIVE_BATCH_LIMIT", 500)  # write batching: votes in one transaction at most
# back-pressure: votes queued before phones are told "busy"
LIVE_QUEUE_LIMIT = env.int("LIVE_QUEUE_LIMIT", 20_000)
# The timeout of a batch: after it the database counts as down, and phones are told "busy".
LIVE_WRITE_SECONDS = env.float("LIVE_WRITE_SECONDS", BUSY_SECONDS * 2.0 + 2.0)
LIVE_MESSAGES_PER_SECOND = env.int("LIVE_MESSAGES_PER_SECOND", 0)  # per process, all screens
# Hand pictures straight to the socket where the server is one that we know; false sends through the server.
LIVE_RAW_SOCKETS = env.bool("LIVE_RAW_SOCKETS", True)
# the interval at which a hub polls for missed changes
LIVE_POLL_SECONDS = env.float("LIVE_POLL_SECONDS", 3.0)
# The idle timeout of a socket; screens ping every 25 s.
LIVE_IDLE_SECONDS = env.float("LIVE_IDLE_SECONDS", 55.0)
# The timeout for the first bytes of a connection (a request, or the first frame of a socket).
FIRST_BYTE_TIMEOUT = env.float("FIRST_BYTE_TIMEOUT", 15.0)
# Threads that draw pages of participants in one process; newcomers have a quarter as many of their own.
PARTICIPANT_THREADS = env.int("PARTICIPANT_THREADS", 4, validate=environs.validate.Range(min=1))
# Requests that wait before people are asked to come back.
PARTICIPANT_QUEUE = env.int("PARTICIPANT_QUEUE", 4000)
# Wrong codes from one address in ten minutes: past it a few are looked up at a time, and slowly answered.
CODE_FAILURES_LIMIT = env.int("CODE_FAILURES_LIMIT", 300)
# The URL at which rehearsal phones started from the console find this server; empty: the host of the request.
REHEARSAL_URL = env.str("REHEARSAL_URL", "")

# --- monitoring and logs (without personal data) ---------------------------------

# The bearer token for /metrics; empty: there is no such page.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

LOG_FORMAT = env.str("LOG_FORMAT", "text", validate=environs.validate.OneOf(["text", "json"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "config.logging_formatters.TextFormatter"},
        "json": {"()": "config.logging_formatters.JsonFormatter"},
    },
    "filters": {"outages": {"()": "config.logging_formatters.DatabaseOutageFilter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["outages"]},
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "WARNING")},
    # Daphne's and Django's own request lines carry addresses of participants: they stay silent.
    "loggers": {
        "daphne": {"level": "WARNING"},
        # A Redis outage is one line of ours (`live.broker`), not a traceback of theirs every second.
        "channels_redis": {"level": "CRITICAL"},
        "uvicorn.access": {"level": "CRITICAL", "propagate": False},
        "django.channels.server": {"level": "CRITICAL", "propagate": False},
        "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": False},
    },
}

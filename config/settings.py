"""One settings file; every difference between environments is an environment variable."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ
import structlog
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from config.embedded.places import celery_url

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

ENVIRONMENT = env.str("STOCKCAST_ENV", "demo")
if ENVIRONMENT not in {"demo", "test", "production"}:
    raise ImproperlyConfigured("STOCKCAST_ENV is demo, test or production.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DJANGO_DEBUG", False)
DEMO_SECRET_KEY = "demo-only-key-that-production-refuses-to-start-with-0123456789"  # noqa: S105
SECRET_KEY = env.str("DJANGO_SECRET_KEY", "" if PRODUCTION else DEMO_SECRET_KEY)
if PRODUCTION and (len(SECRET_KEY) < 50 or SECRET_KEY == DEMO_SECRET_KEY or DEBUG):
    raise ImproperlyConfigured(
        "Production needs DJANGO_SECRET_KEY, 50 random characters or more, and no DJANGO_DEBUG."
    )
ALLOWED_HOSTS = env.list(
    "DJANGO_ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "testserver"]
)
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])
DATA_DIR = Path(env.str("STOCKCAST_DATA_DIR", str(BASE_DIR / ".stockcast")))

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "django_prometheus",
    "tenancy",
    "inventory",
    "forecasting",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenancy.middleware.RequestLogMiddleware",
    "tenancy.content_policy.ContentPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "tenancy.middleware.TenantMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "tenancy.middleware.tenant_context",
            ],
        },
    }
]

# -- database ---------------------------------------------------------------------------------
# DATABASE_URL signs in as the application (wms_app), DATABASE_OWNER_URL as the owner (wms_owner).
# A login that is neither takes the role by SET ROLE; production refuses a superuser's login.
DATABASE_URL = env.str("DATABASE_URL", "postgresql://wms_app@/stockcast")
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", DATABASE_URL)
ALLOW_SUPERUSER_LOGIN = not PRODUCTION


def database(url: str, role: str) -> dict[str, Any]:
    """Turn a PostgreSQL URL into Django's settings; the session runs as ``role`` in any case."""
    parts: dict[str, Any] = dict(conninfo_to_dict(url))
    user = parts.pop("user", "")
    settings = {
        "ENGINE": "config.postgres",
        "NAME": parts.pop("dbname", "stockcast"),
        "USER": user,
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", 60),
        "CONN_HEALTH_CHECKS": True,
    }
    if user != role:
        parts["options"] = f"{parts.get('options', '')} -c role={role}".strip()
    settings["OPTIONS"] = parts
    return settings


DATABASES = {"default": database(DATABASE_URL, "wms_app")}
OWNER_DATABASE = database(DATABASE_OWNER_URL, "wms_owner")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- cache and jobs ---------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", "redis://localhost:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL.replace("redis+socket://", "unix://"),
        "KEY_PREFIX": "stockcast",
    }
}
CELERY_BROKER_URL = celery_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_TIME_LIMIT = 60 * 60
CELERY_TASK_SOFT_TIME_LIMIT = 55 * 60
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 2 * 60 * 60}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 50
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    # all that beat knows; what is due is decided by the Job table (tenancy.services.schedules)
    "tick": {"task": "tenancy.tick", "schedule": 60.0, "options": {"expires": 50}},
}
JOB_LEASE_SECONDS = env.float("JOB_LEASE_SECONDS", 60.0)
JOB_RESEND_SECONDS = env.float("JOB_RESEND_SECONDS", 120.0)
JOB_RETRY_SECONDS = env.float("JOB_RETRY_SECONDS", 10.0)
JOB_RUNNING_CAP = env.int("JOB_RUNNING_CAP", 2)

# -- people -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "tenancy.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
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
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "tenancy.accounts.InvitationOnlyAdapter"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = None
UNFOLD = {"SITE_TITLE": "Stockcast", "SITE_HEADER": "Stockcast"}
MFA_TOTP_ISSUER = "Stockcast"
# accounts are made by invitation only: nobody can hold an address that is not theirs
MFA_ALLOW_UNVERIFIED_EMAIL = True
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "login"
AXES_RESET_ON_SUCCESS = True
EMAIL_BACKEND = env.str("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "stockcast@localhost")

# -- web security -----------------------------------------------------------------------------
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", PRODUCTION)
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_SECURE = PRODUCTION
X_FRAME_OPTIONS = "DENY"
if env.bool("TRUST_FORWARDED_PROTO", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    # the admin and the API documentation get a wider one: tenancy.content_policy
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FORECAST_DEVICE = env.str("FORECAST_DEVICE", "auto")
if FORECAST_DEVICE not in {"auto", "cpu", "cuda"}:
    raise ImproperlyConfigured("FORECAST_DEVICE is auto, cpu or cuda.")
LABEL_FONTS: list[str] = env.list("LABEL_FONTS", default=[])
UPLOAD_MOST_BYTES = 100 * 1024 * 1024

# -- texts, static files, artefacts -------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION

# -- API --------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["tenancy.api.deny.Nobody"],
    "EXCEPTION_HANDLER": "tenancy.api.problems.handle_exception",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
}
API_MOST_BYTES = 1024 * 1024
API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", 1200)
API_TENANT_CALLS_PER_MINUTE = env.int("API_TENANT_CALLS_PER_MINUTE", 6000)
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Stockcast API",
    "DESCRIPTION": "Warehouse execution and demand forecasts of one tenant.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1/\{tenant\}",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "Role": "tenancy.models.Role",
        "JobState": "tenancy.models.JobState",
        "JobQueue": "tenancy.models.JobQueue",
        "CallerKind": [("user", "user"), ("api_key", "api_key")],
        "LocationKind": "inventory.models.LocationKind",
        "MovementReason": "inventory.api.movements.REASON_NAMES",
        "ChannelKind": "inventory.models.ChannelKind",
        "LotTracking": "inventory.models.LotTracking",
        "TransportMode": "inventory.models.TransportMode",
        "OverrideKind": "forecasting.models.OverrideKind",
        "OverrideState": "forecasting.models.OverrideState",
        "SignalKind": "forecasting.models.SignalKind",
        "PurchaseOrderState": "inventory.models.PurchaseOrderState",
        "ValuationMethod": "inventory.models.ValuationMethod",
        "CountState": "inventory.models.CountState",
        "CountReason": "inventory.models.CountReason",
        "ReceiptState": "inventory.models.ReceiptState",
        "WaveKind": "inventory.models.WaveKind",
        "WaveState": "inventory.models.WaveState",
        "PickState": "inventory.models.PickState",
        "ShortReason": "inventory.api.waves.REASONS",
        "PackageState": "inventory.models.PackageState",
        "WorkKind": "inventory.models.WorkKind",
        "SalesOrderState": "inventory.models.SalesOrderState",
        "AllocationState": "inventory.models.AllocationState",
        "DocumentKind": "inventory.models.DocumentKind",
        "TransferState": "inventory.models.TransferState",
        "CustomerReturnState": "inventory.models.CustomerReturnState",
        "SupplierReturnState": "inventory.models.SupplierReturnState",
        "ReturnOutcome": "inventory.models.ReturnOutcome",
        "NetworkState": "forecasting.models.NetworkState",
        "SuggestionState": "forecasting.models.SuggestionState",
        "RiskKind": "forecasting.models.RiskKind",
        "WarningState": "forecasting.models.WarningState",
    },
}

# -- logs -------------------------------------------------------------------------------------
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer()
        if PRODUCTION
        else structlog.dev.ConsoleRenderer(colors=False),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(env.int("LOG_LEVEL", 20)),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

"""Django's settings, made from the one typed table of what the environment decides (optsite/environment.py).

Importing this module writes nothing: the data folder, the secret key and the log file are made when they are first
needed.
"""

from __future__ import annotations

from typing import Any

import dj_database_url
from django.urls import reverse_lazy
from django.utils.functional import SimpleLazyObject

from api import configuration as api_configuration
from exports.folders import MarketFolder
from optsite.data_folder import secret_key
from optsite.environment import BASE_DIR, LOOPBACK_HOSTS, Environment, read_environment
from optsite.pages.navigation import FAVICONS, SIDEBAR


def _databases(environment: Environment) -> dict[str, dict[str, Any]]:
    if environment.database_url:
        return {"default": {**dj_database_url.parse(environment.database_url, conn_max_age=60)}}
    return {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": environment.data_dir / "db.sqlite3",
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }


OPTSITE: Environment = read_environment()
MARKET_FOLDER = MarketFolder(OPTSITE.data_dir, OPTSITE.provider)
EXPORT_SOURCE = "collector.store.export_source.StoreExportSource"
SCAN_LAUNCHER = "optsite.tasks.launch_scan"

SECRET_KEY = OPTSITE.secret_key or SimpleLazyObject(lambda: secret_key(OPTSITE.data_dir))
DEBUG = OPTSITE.debug
ALLOWED_HOSTS = list(OPTSITE.allowed_hosts)
ROOT_URLCONF = "optsite.urls"
WSGI_APPLICATION = "optsite.wsgi.application"
DATABASES = _databases(OPTSITE)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "/"

INSTALLED_APPS = [
    # First, so that its commands go before the packages' of the same name.
    "optsite",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "collector",
    "exports",
    "api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
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
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

STATIC_URL = "/static/"
# No collectstatic on a fresh machine: the files are served from the packages themselves.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if OPTSITE.deployed:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in OPTSITE.allowed_hosts if host not in LOOPBACK_HOSTS]
    SECURE_SSL_REDIRECT = True
    # A probe on the machine itself speaks plain HTTP.
    SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 30 * 24 * 3600
    # Sub-domains and the browsers' preload list are the domain owner's to decide, not one program's.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

REST_FRAMEWORK = api_configuration.REST_FRAMEWORK
SPECTACULAR_SETTINGS = api_configuration.SPECTACULAR_SETTINGS
UNFOLD = {
    "SITE_TITLE": "Option chain dashboard",
    "SITE_HEADER": "Option chains",
    "SITE_URL": reverse_lazy("overview"),
    "SITE_SYMBOL": "candlestick_chart",
    "SITE_FAVICONS": FAVICONS,
    "SHOW_HISTORY": False,
    "SIDEBAR": SIDEBAR,
}

# retry counts from the prefetch, so it exceeds timeout * (queue_limit + 2) / workers with a margin.
Q_CLUSTER: dict[str, Any] = {
    "name": f"optsite-{MARKET_FOLDER.market}",
    "label": "Task queue",
    "orm": "default",
    "workers": 2,
    "queue_limit": 1,
    "timeout": 600,
    "retry": 2400,
    "max_attempts": 2,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 500,
    "time_zone": "America/New_York",
}

LOG_LINE = "{asctime} {levelname} {process} {name}: {message}"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": LOG_LINE, "style": "{"},
        "one line": {"()": "optsite.terminal.OneLine", "fmt": LOG_LINE, "style": "{"},
    },
    "filters": {
        "asks for somebody": {"()": "optsite.terminal.AsksForSomebody"},
        "names the setting": {"()": "optsite.terminal.NamesTheSetting"},
    },
    "handlers": {
        "file": {
            "class": "optsite.log_file.SharedLogFile",
            "path": str(OPTSITE.data_dir / "logs" / "option_chain_dashboard.log"),
            "formatter": "line",
        },
        "console": {
            "class": "logging.StreamHandler",
            "level": "WARNING",
            "formatter": "one line",
            "filters": ["asks for somebody"],
        },
    },
    "root": {"handlers": ["file", "console"], "level": "WARNING"},
    "loggers": {
        "django.security.DisallowedHost": {"filters": ["names the setting"]},
        **{name: {"level": "INFO"} for name in ("optsite", "collector", "exports", "api", "django-q")},
    },
}

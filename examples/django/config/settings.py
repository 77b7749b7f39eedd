"""Settings of Django, from what the platform hands over."""

from __future__ import annotations

import hmac
from typing import Any

from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError, ReadOnlyError, TimeoutError
from redis.retry import Retry

from config import given, telemetry
from config.tokens import Token

GIVEN = given.read()
PATH = f"{GIVEN.base_path}/"

# The platform keeps one secret of this system. A new password of the database ends sessions, too.
SECRET_KEY = hmac.new(GIVEN.postgres.password.encode(), b"django", "sha256").hexdigest()
DEBUG = False
USE_TZ = True
ROOT_URLCONF = "config.urls"
INSTALLED_APPS = ["orders"]
MIDDLEWARE = [
    "config.middleware.requests",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING_CONFIG = None
telemetry.logs()

# Requests come from Kong, which takes the path of the system off; TLS ends at the load balancer. Users and
# probes ask for the same name.
ALLOWED_HOSTS = [GIVEN.public_host]
FORCE_SCRIPT_NAME = GIVEN.base_path or None
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = True
# Other systems have the same host: a cookie is sent to this one alone.
CSRF_COOKIE_PATH = SESSION_COOKIE_PATH = PATH
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # what the gateway lets through

_postgres = GIVEN.postgres
_connection: dict[str, Any] = {
    "ENGINE": "django.db.backends.postgresql",
    "HOST": _postgres.host,
    "PORT": _postgres.port,
    "NAME": _postgres.database,
    "USER": _postgres.user,
    "PASSWORD": _postgres.password,
    "CONN_MAX_AGE": 300,
    "CONN_HEALTH_CHECKS": True,
}
_options = {
    "sslmode": _postgres.sslmode,
    **({"sslrootcert": _postgres.authority} if _postgres.authority else {}),
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    # A migration that waits for a lock makes every request behind it wait: it gives up, and its job tries on.
    "options": "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s",
}
DATABASES = {
    # After a failover the name leads elsewhere: every connection asks DNS again.
    "default": {**_connection, "OPTIONS": {**_options, "target_session_attrs": "read-write"}},
    # Any replica; the primary where there are none, or none answers.
    "reader": {
        **_connection,
        "HOST": f"{_postgres.readers},{_postgres.host}" if _postgres.readers else _postgres.host,
        "OPTIONS": {**_options, "target_session_attrs": "prefer-standby", "load_balance_hosts": "random"},
    },
}
READER = "reader"

_redis = GIVEN.redis
REDIS_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 3,
    "socket_timeout": 5,
    "health_check_interval": 15,
    # After a failover the node of before may answer for a moment, read-only.
    "retry": Retry(ExponentialWithJitterBackoff(cap=1, base=0.05), 5),
    "retry_on_error": [ConnectionError, TimeoutError, ReadOnlyError],
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # The first is written to, the others are read.
        "LOCATION": [f"rediss://{host}:{_redis.port}" for host in (_redis.host, _redis.reader)],
        "KEY_PREFIX": GIVEN.name,  # all systems share the group
        "TIMEOUT": 60,  # only keys with an expiry make room
        "OPTIONS": {"credential_provider": Token(_redis.group, _redis.user, GIVEN.region), **REDIS_OPTIONS},
    }
}

CELERY_BROKER_URL = (
    f"rediss://{_redis.broker}:{_redis.port}/0"
    "?ssl_cert_reqs=required&credential_provider=config.tokens.BrokerToken"
)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{GIVEN.name}:",
    "socket_connect_timeout": 3,
    "socket_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "retry_on_timeout": True,
    "visibility_timeout": 300,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
# A task is done once it has ended: a worker that is killed leaves it to another one.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_CONCURRENCY = 2
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BEAT_SCHEDULE = {
    "forgotten": {"task": "orders.tasks.forgotten", "schedule": 5.0, "options": {"expires": 5.0}},
}

"""Settings of the tests, which need no server."""

import os
from typing import Any

os.environ.update(
    {
        "PORT": "8000",
        "METRICS_PORT": "9000",
        "BASE_PATH": "/shop",
        "PUBLIC_HOST": "app.example.com",
        "PUBLIC_URL": "https://app.example.com/shop",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "it",
        "AWS_SECRET_ACCESS_KEY": "it",
        "OTEL_SERVICE_NAME": "shop",
        "DATABASE_HOST": "postgres.example.com",
        "DATABASE_READER_HOSTS": "one.example.com,two.example.com",
        "DATABASE_PORT": "5432",
        "DATABASE_NAME": "shop",
        "DATABASE_USER": "shop",
        "DATABASE_PASSWORD": "it",
        "DATABASE_SSLMODE": "verify-full",
        "DATABASE_SSLROOTCERT": "/etc/authorities/rds.pem",
        "REDIS_HOST": "redis.example.com",
        "REDIS_READER_HOST": "reader.example.com",
        "REDIS_BROKER_HOST": "broker.example.com",
        "REDIS_PORT": "6379",
        "REDIS_USER": "systems",
        "REDIS_GROUP": "cache",
        "REDIS_BROKER_GROUP": "broker",
        "FILES_BUCKET": "files",
        "FILES_PREFIX": "shop/",
    }
)

from config.settings import *  # noqa: F403

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
READER = "default"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {}
CELERY_TASK_ALWAYS_EAGER = False

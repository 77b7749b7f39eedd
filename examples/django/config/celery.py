"""Tasks: Redis is the broker, and PostgreSQL is what counts."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def logs(**_: object) -> None:
    """Celery leaves logging alone where this signal has a receiver."""
    from config import telemetry

    telemetry.logs()


@worker_process_init.connect
def begin(**_: object) -> None:
    """Threads do not survive a fork, so each process of the worker sends its own traces."""
    from config import telemetry

    telemetry.traces(worker=True)


@worker_process_shutdown.connect
def end(**_: object) -> None:
    from config import telemetry

    telemetry.end()

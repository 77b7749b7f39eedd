"""Tasks: Redis is the broker, and PostgreSQL is what counts."""

import logging
import os
import threading
import time

from celery import Celery
from celery.signals import (
    setup_logging,
    task_received,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
)

from config import telemetry

QUIET_SECONDS = 30  # the clock sends a task every five
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
telemetry.logs()
app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def logs(**_: object) -> None:
    """Celery leaves logging alone where this signal has a receiver."""
    telemetry.logs()


@worker_process_init.connect
def begin(**_: object) -> None:
    """Threads do not survive a fork, so each process of the worker sends its own traces."""
    telemetry.traces(worker=True)


@worker_process_shutdown.connect
def end(**_: object) -> None:
    telemetry.end()


class Watch:
    """Ends a worker that hears nothing any more, so that Kubernetes starts it again.

    A consumer of Celery can wait for good on a connection that Redis has ended, as ElastiCache does after
    twelve hours. Tasks that it had begun are acknowledged late, and another worker does them.
    """

    heard = 0.0

    def hear(self, **_: object) -> None:
        self.heard = time.monotonic()

    def begin(self, **_: object) -> None:
        self.hear()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while time.monotonic() - self.heard < QUIET_SECONDS:
            time.sleep(5)
        logging.getLogger("worker").error("no task for %d seconds: the worker ends", QUIET_SECONDS)
        os._exit(1)


watch = Watch()
task_received.connect(watch.hear)
worker_ready.connect(watch.begin)

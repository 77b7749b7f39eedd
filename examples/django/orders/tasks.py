"""Tasks of workers. Redis only says that there is something to do; PostgreSQL says what.

The broker may lose what it was told last: a failover of ElastiCache leaves behind what no replica has yet. So
the clock looks for forgotten orders, and each task may run twice.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.db import OperationalError, transaction
from django.utils import timezone

from orders.models import Order

FORGOTTEN = timedelta(seconds=5)
log = logging.getLogger("orders")


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, retry_backoff_max=10, max_retries=5)
def handle(number: str) -> bool:
    """Handles an order once. False: another worker has it, or it is done."""
    with transaction.atomic():
        order = Order.objects.select_for_update(skip_locked=True).filter(id=number, done=None).first()
        if order is None:
            return False
        order.done = timezone.now()
        order.save(update_fields=["done"])
    log.info("order handled", extra={"fields": {"order": number}})
    return True


@shared_task
def forgotten() -> None:
    old = Order.objects.filter(done=None, created__lt=timezone.now() - FORGOTTEN).order_by("created")
    for number in old.values_list("id", flat=True)[:100]:
        handle.run(str(number))

"""Tables of PostgreSQL."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class Order(models.Model):
    """An order is kept once its transaction is committed; `done` says when a worker has handled it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    item = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(1000)])
    created = models.DateTimeField(auto_now_add=True)
    done = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["created"], name="orders_to_do", condition=Q(done=None))]

"""Orders: a page for people, and an API."""

from __future__ import annotations

import json
import logging
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from orders import files
from orders.models import Order
from orders.tasks import handle

log = logging.getLogger("orders")


def keep(number: UUID, item: Any, quantity: Any) -> None:
    """Returns once the order is committed. Twice is once. Raises ValidationError."""
    order = Order(id=number, item=item, quantity=quantity)
    order.clean_fields()
    with transaction.atomic():
        Order.objects.bulk_create([order], ignore_conflicts=True)
    try:
        handle.apply_async([str(number)], retry=False)
    except (OperationalError, RedisError):
        log.warning("the broker does not answer; the clock will find the order in the table")


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    wrong = ""
    if request.method == "POST":
        try:
            keep(uuid4(), request.POST.get("item"), request.POST.get("quantity"))
            return redirect("page")
        except ValidationError as error:
            wrong = "; ".join(f"{key}: {' '.join(said)}" for key, said in error.message_dict.items())
    orders = Order.objects.using(settings.READER).order_by("-created")[:20]
    return render(
        request, "orders/page.html", {"orders": orders, "wrong": wrong}, status=400 if wrong else 200
    )


@csrf_exempt  # no cookie says who asks
@require_POST
def place(request: HttpRequest) -> HttpResponse:
    """Answers once the order is committed. With the same Idempotency-Key it may be sent again, and must be
    where no answer came."""
    try:
        asked = json.loads(request.body)
        number = UUID(request.headers.get("Idempotency-Key", str(uuid4())))
        keep(number, asked.get("item"), asked.get("quantity"))
    except (ValueError, AttributeError, ValidationError) as error:
        return JsonResponse({"detail": str(error)}, status=400)
    found = {"id": str(number), "item": asked["item"], "quantity": asked["quantity"]}
    where = request.build_absolute_uri(reverse("order", args=[number]))
    return JsonResponse(found, status=201, headers={"Location": where})


@require_GET
def show(_: HttpRequest, number: UUID) -> HttpResponse:
    key = f"order:{number}"
    try:
        if kept := cache.get(key):
            return JsonResponse(kept)
    except RedisError:
        log.warning("the cache does not answer")
    # From a replica; from the primary what has not reached that one yet.
    order = (
        Order.objects.using(settings.READER).filter(id=number).first()
        or Order.objects.filter(id=number).first()
    )
    if order is None:
        return JsonResponse({"detail": "no such order"}, status=404)
    done = order.done.isoformat() if order.done else None
    found = {"id": str(number), "item": order.item, "quantity": order.quantity, "done": done}
    if done:  # it does not change any more
        try:
            cache.set(key, found)
        except RedisError:
            log.warning("the cache does not answer")
    return JsonResponse(found)


@csrf_exempt
@require_http_methods(["GET", "PUT"])
def attachment(request: HttpRequest, number: UUID) -> HttpResponse:
    if not Order.objects.filter(id=number).exists():
        return JsonResponse({"detail": "no such order"}, status=404)
    if request.method == "GET":
        return HttpResponseRedirect(files.address(number))
    files.put(number, request.body, request.headers.get("Content-Type", "application/octet-stream"))
    return HttpResponse(status=204)


@require_GET
def whoami(request: HttpRequest) -> HttpResponse:
    """What a request looks like from here, for those who look for a wrong header."""
    return JsonResponse(
        {
            "url": request.build_absolute_uri(),
            "client": request.META["REMOTE_ADDR"],
            "request_id": request.headers.get("X-Request-ID"),
        }
    )

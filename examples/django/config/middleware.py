"""Counts, times and logs every request but probes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.telemetry import PROBES, REQUESTS, SECONDS

log = logging.getLogger("requests")


def requests(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Kong gives each request an ID and says in X-Real-IP who sent it. The first of X-Forwarded-For is what
    the client says of itself."""

    def timed(request: HttpRequest) -> HttpResponse:
        request.META["REMOTE_ADDR"] = request.headers.get("X-Real-IP", request.META["REMOTE_ADDR"])
        begun = time.perf_counter()
        found = answer(request)
        if request.path_info in PROBES:
            return found
        took = time.perf_counter() - begun
        method = request.method or "none"
        # The pattern and not the path, for each label of a metric is kept.
        route = request.resolver_match.route if request.resolver_match else "none"
        REQUESTS.labels(method, f"/{route}", found.status_code).inc()
        SECONDS.labels(method, f"/{route}").observe(took)
        fields = {
            "method": method,
            "path": request.path,
            "status": found.status_code,
            "ms": round(took * 1000, 1),
            "request_id": request.headers.get("X-Request-ID"),
            "client": request.META["REMOTE_ADDR"],
        }
        log.info("request", extra={"fields": fields})
        return found

    return timed

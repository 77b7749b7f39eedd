"""What a system gets that does not say otherwise, by the framework it is written in."""

from __future__ import annotations

from typing import Any, Literal

Framework = Literal["django", "fastapi", "go"]

_PYTHON_HEALTH = {"live": "/health/live", "ready": "/health/ready"}

# Requests are those of one pod at rest: Django holds a worker for each core and its whole framework in
# memory, FastAPI one event loop, Go one small process.
FRAMEWORKS: dict[str, dict[str, Any]] = {
    "django": {
        "port": 8000,
        "cpu": "250m",
        "memory": "512Mi",
        "health": _PYTHON_HEALTH,
        "migrate": ["python", "manage.py", "migrate", "--noinput"],
    },
    "fastapi": {"port": 8000, "cpu": "200m", "memory": "256Mi", "health": _PYTHON_HEALTH},
    "go": {
        "port": 8080,
        "cpu": "100m",
        "memory": "128Mi",
        "health": {"live": "/healthz", "ready": "/readyz"},
    },
}
# Celery is Python's; another framework names commands of its own.
WITH_CELERY = ("django", "fastapi")


def celery_commands(app: Any) -> dict[str, Any]:
    """How Celery takes tasks from the broker, and sends tasks by the clock; what the clock remembers goes
    where the pod may write. `app` is the module of the application."""
    celery = ["celery", "--app", app]
    return {
        "command": [*celery, "worker", "--loglevel", "INFO"],
        "beat_command": [*celery, "beat", "--loglevel", "INFO", "--schedule", "$(TMPDIR)/celerybeat"],
    }

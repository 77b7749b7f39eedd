"""`celery --app config worker` finds the application here."""

from config.celery import app as celery_app

__all__ = ["celery_app"]

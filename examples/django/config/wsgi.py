"""What gunicorn serves."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import atexit

from django.core.wsgi import get_wsgi_application
from prometheus_client import start_http_server

from config import given, telemetry

telemetry.traces()
atexit.register(telemetry.end)
# Prometheus asks by the address of the pod, which ALLOWED_HOSTS refuses; so metrics have a port of their own.
if port := given.read().metrics_port:
    start_http_server(port)
application = get_wsgi_application()

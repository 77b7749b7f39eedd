"""Starts the server: python -m app."""

import uvicorn

from app import settings, telemetry
from app.main import create

telemetry.logs()
found = settings.read()
uvicorn.run(
    create(found),
    host="0.0.0.0",
    port=found.port,
    # Kong takes the path of the system off a request; uvicorn puts it back, so that links are right.
    root_path=found.base_path,
    proxy_headers=False,  # proxy.py reads them
    timeout_graceful_shutdown=25,  # of the 60 seconds that the pod has, 25 are its pause before
    log_config=None,
    server_header=False,
)

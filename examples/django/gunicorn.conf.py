"""How the server runs: gunicorn config.wsgi."""

from config import given, telemetry

bind = f"0.0.0.0:{given.read().port}"
# One process, so that there is one set of metrics. More load is more pods.
workers, threads, worker_class = 1, 8, "gthread"
# A connection that Kong keeps ends later here than there: templates/gateway/kong.yaml of the platform.
keepalive = 2
# Of the 60 seconds that the pod has, 25 are its pause before the signal.
graceful_timeout = 30
timeout = 60
# The file system is read-only.
worker_tmp_dir = "/dev/shm"
control_socket_disable = True
logconfig_dict = telemetry.LOGGING
accesslog = None  # config.middleware says it better

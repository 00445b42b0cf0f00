"""gunicorn for the yardstick: the same worker and keep-alive as the desk's, and nothing else."""

worker_class = "gthread"
keepalive = 30
loglevel = "warning"

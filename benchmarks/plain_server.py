"""gunicorn settings for the bare view: the same worker and keep-alive as Foyer's, and nothing else."""

worker_class = "gthread"
keepalive = 30
loglevel = "warning"

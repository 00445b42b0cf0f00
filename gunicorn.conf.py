"""gunicorn's settings: `gunicorn app:app` finds this file by itself.

Workers with threads: one on a file, which serves one process, WEB_CONCURRENCY of them on PostgreSQL. The store is opened in
the worker, after the fork.
"""

import gc
import sys
from typing import Any

from config import ConfigError, load_settings
from storage import StorageError

try:
    _settings = load_settings()
except ConfigError as error:
    sys.exit(str(error))

bind = f"{_settings.bind_host}:{_settings.port}"
workers = _settings.web_concurrency if _settings.on_postgresql else 1
worker_class = "runtime.server.worker.ServerWorker"  # a thread takes a request only when all of it has arrived
threads = _settings.threads
preload_app = False
timeout = 60
graceful_timeout = 25  # hosts that ask politely kill after 30
keepalive = 30
forwarded_allow_ips = ""  # TRUSTED_PROXIES alone says whose word about scheme and host is taken
control_socket_disable = True  # nobody steers it from inside, and a container may have no home to put the socket in
limit_request_line = 0  # the worker bounds the whole head (HEAD_MOST), so long searches get an answer from the app
limit_request_field_size = 32 * 1024  # tokens of Entra ID with many groups have 12 KB and more
sendfile = False  # an answer is sent as fast as its client reads, without keeping a thread
loglevel = "warning"


def post_worker_init(worker: Any) -> None:
    """Opens the server and says how it stands; a store that cannot be opened stops the server with one sentence."""
    from runtime import logs
    from runtime.banner import opening_lines

    logs.mask_handlers("gunicorn.error")

    runtime = worker.wsgi.extensions["runtime"]
    try:
        runtime.start(url=_url(worker))
    except StorageError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(3)  # gunicorn's code for a worker that must not be started again
    gc.freeze()  # what start-up made stays for good; looking through it again and again cost a tenth of every create
    sys.stdout.write("\n".join(opening_lines(runtime)) + "\n")
    sys.stdout.flush()


def _url(worker: Any) -> str:
    """Where the worker listens, whatever the command line said; "" of a socket without a port."""
    from runtime.server_proof import url_of

    addresses = [sock.getsockname() for sock in worker.sockets]
    scheme = "https" if worker.cfg.is_ssl else "http"
    return next((url_of(name[0], name[1], scheme) for name in addresses if isinstance(name, tuple)), "")


def worker_exit(server: Any, worker: Any) -> None:
    """Finishes the jobs at hand and leaves everything on disk."""
    app = getattr(worker, "wsgi", None)
    if app is not None:
        app.extensions["runtime"].stop()

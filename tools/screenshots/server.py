"""A desk for pictures: a server in a temporary folder with demo data, at a fixed time, so that each run shows the same."""

import logging
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from werkzeug.serving import make_server

from app import create_app
from config import Settings
from services.accounts import api_keys
from tools.screenshots.desk import Desk

NOW = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)  # a Tuesday in office hours
HOST, PORT = "127.0.0.1", 5650  # which pages show; another port is taken when something listens there
KEY = "the-key-of-the-server-in-the-pictures"


@contextmanager
def open_desk() -> Iterator[Desk]:
    """A filled desk, removed after the block. Every setting is its default, whatever the environment."""
    logging.disable(logging.INFO)  # the lines of the server's start
    numbers = count(1)  # keys are random, and a page shows how they begin

    def new_key() -> str:
        return f"fk_{next(numbers):05}{secrets.token_urlsafe(32)}"

    with TemporaryDirectory() as folder, mock.patch.object(api_keys, "new_key", new_key):
        defaults = {name: setting.get_default() for name, setting in Settings.model_fields.items()}
        own = {
            "data_dir": Path(folder),
            "api_key": KEY,
            "embeddings": "static",
            "rate_limit": "off",
            "log_level": "ERROR",
        }
        app = create_app(Settings(_env_file=None, **{**defaults, **own}), clock=lambda: NOW)
        server = make_server(HOST, _free_port(), app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            desk = Desk(f"http://{HOST}:{server.port}", KEY)
            desk.fill()
            yield desk
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            app.extensions["runtime"].stop()
            logging.disable(logging.NOTSET)


def _free_port() -> int:
    with socket.socket() as probe:
        return PORT if probe.connect_ex((HOST, PORT)) else 0

"""A server that speaks the protocols of AWS (moto), and the environment that leads boto3 to it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.server import ThreadedMotoServer


@contextmanager
def running() -> Iterator[str]:
    """A running server; gives its address."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def lead_there(monkeypatch: pytest.MonkeyPatch, address: str, *, region: str) -> None:
    """Sets what boto3 reads from the environment."""
    values = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": region,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)

"""One running server for the tools that outsiders point at it."""

from collections.abc import Iterator

import pytest

from tests.fakes.running_server import running_server


@pytest.fixture(scope="session")
def desk_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. Callers may name an address of their own, and none is slowed down."""
    settings = {"RATE_LIMIT": "off", "TRUSTED_PROXIES": "1", "OPEN_REGISTRATION": "true", "LOG_LEVEL": "ERROR"}
    with running_server(tmp_path_factory.mktemp("contract"), **settings) as url:
        yield url

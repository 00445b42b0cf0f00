"""/mcp with the client of the `mcp` package, over HTTP, in each way that it begins; and what a server loads for it."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def url(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/mcp"
    server.shutdown()
    server.server_close()


def run(work):
    """The result of a coroutine, from a thread: the tests' own may have Playwright's loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def with_client(url, mode, work, **headers):
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        return await work(client)


@pytest.mark.parametrize(
    ("mode", "version"), [("auto", "2026-07-28"), ("2026-07-28", "2026-07-28"), ("legacy", "2025-11-25")]
)
def test_the_client_finds_and_calls_every_tool(url, admin, mode, version):
    ticket = admin.ticket()["id"]

    async def work(client):
        assert client.session.protocol_version == version
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert len(tools) == 18
        read = await client.call_tool("get_ticket", {"ticket_id": ticket})
        changed = await client.call_tool("set_priority", {"ticket_id": ticket, "priority": "low"})
        failed = await client.call_tool("set_priority", {"ticket_id": ticket, "priority": "none"})
        with pytest.raises(MCPError, match="Unknown tool: nope"):
            await client.call_tool("nope", {})
        return read, changed, failed

    read, changed, failed = run(with_client(url, mode, work, **{"X-API-Key": admin.key}))
    assert "How do I change my plan?" in read.content[0].text
    assert (read.is_error, changed.is_error, failed.is_error) == (False, False, True)
    assert failed.content[0].text.startswith("priority must be one of: low, medium, high, urgent.")
    assert admin.data(admin.get(f"/api/tickets/{ticket}"))["priority"] == "low"


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
def test_the_client_is_told_that_its_key_is_wrong(url, mode):
    async def work(client):
        await client.list_tools()

    with pytest.raises(ExceptionGroup) as refused:
        run(with_client(url, mode, work, Authorization="Bearer wrong"))
    assert "Send a valid API key in the X-API-Key header." in repr(refused.value)


def test_a_server_where_it_is_off_loads_nothing_of_it(tmp_path):
    code = """if True:
        import sys
        from app import create_app
        from config import Settings
        create_app(Settings(data_dir=sys.argv[1], mcp=False))
        sys.exit(any(name.startswith("api.mcp") for name in sys.modules))"""
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False).returncode == 0

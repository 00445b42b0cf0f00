"""The front door: create_app wires the rooms together; `python app.py` opens the server on this machine.

Nothing is opened at import, so that gunicorn and the flask commands can both load `app`.
"""

from core import gc_pause  # before anything that takes long to import

# isort: split
import signal
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import make_server

from config import ConfigError, Settings, load_settings  # before anything that imports numpy, whose threads it sets

# isort: split
from ai.model_call import Completes
from api import chat_page, routes, transfer_checks
from api.http.rate_limits import Limits
from api.specs import pages as specs
from commands import register_commands
from core.timestamps import now
from notifier import Mailer
from runtime import logs
from runtime.banner import opening_lines
from runtime.bootstrap import Runtime
from runtime.server_proof import url_of
from storage import Clock, StorageError
from web import pages

gc_pause.end()


class Foyer(Flask):
    """The Flask app."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself. No view or hook is a coroutine, so Flask need not look at each of them for each request."""
        return func


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock = now,
    model: Completes | None = None,
    mailer: Mailer | None = None,
) -> Flask:
    """The app of one server. Without `settings` they are read from the environment. Raises ConfigError."""
    settings = settings or load_settings()
    logs.to_stderr(settings.log_level)
    app = Foyer("foyer", static_folder=None, root_path=str(settings.data_dir))
    app.url_map.strict_slashes = False
    app.extensions["runtime"] = Runtime(settings, clock=clock, model=model, mailer=mailer)
    app.extensions["runtime"].transfer_checks = transfer_checks.CHECKS
    app.extensions["limits"] = Limits(settings)
    routes.install(app, cors_origins=settings.cors_origin_list, dialects=settings.dialect_list)
    register_commands(app)
    app.register_blueprint(specs.blp)
    app.register_blueprint(pages.blp)
    app.register_blueprint(chat_page.blp)
    if settings.mcp:
        from api.mcp import endpoint  # loaded only where it is on

        app.register_blueprint(endpoint.blp)
    if proxies := settings.trusted_proxies:  # each of them adds one value; what callers wrote before is not believed
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    return app


@cache
def _app() -> Flask:
    try:
        return create_app()
    except ConfigError as error:
        sys.exit(str(error))


def __getattr__(name: str) -> Flask:
    """`app` itself, made when a server or the flask command first asks for it: an import reads and opens nothing."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _app()


def main() -> None:
    """Serves on this machine until Ctrl-C or SIGTERM."""
    runtime: Runtime = _app().extensions["runtime"]
    settings = runtime.settings
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = make_server(settings.bind_host, settings.port, _app(), threaded=True)  # says so when the port is taken
    try:
        runtime.start(url=url_of(settings.bind_host, settings.port))
    except StorageError as error:
        sys.exit(str(error))
    sys.stdout.write("\n".join(opening_lines(runtime)) + "\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        runtime.stop()


if __name__ == "__main__":
    main()

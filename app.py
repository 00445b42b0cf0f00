"""The front door: create_app wires the rooms together; `python app.py` opens the desk on this machine.

Nothing is opened at import, so that gunicorn and the flask commands can both load `app`.
"""

import shlex
import signal
import sys

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import make_server

from ai_responder import Completes
from api import routes
from api.http.rate_limits import Limits
from api.specs import pages as specs
from commands import data
from config import ConfigError, Settings, load_settings
from core.timestamps import now
from notifier import Mailer
from runtime import logs
from runtime.bootstrap import Runtime
from runtime.server_proof import url_of
from services.accounts.key_login import key_file
from storage import Clock, StorageError
from web import pages


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock = now,
    model: Completes | None = None,
    mailer: Mailer | None = None,
) -> Flask:
    """The app of one desk. Without `settings` they are read from the environment. Raises ConfigError."""
    settings = settings or load_settings()
    logs.to_stderr(settings.log_level)
    app = Flask("foyer", static_folder=None, root_path=str(settings.data_dir))
    app.url_map.strict_slashes = False
    app.extensions["runtime"] = Runtime(settings, clock=clock, model=model, mailer=mailer)
    app.extensions["limits"] = Limits(settings)
    routes.install(app, cors_origins=settings.cors_origin_list)
    data.register(app)
    app.register_blueprint(specs.blp)
    app.register_blueprint(pages.blp)
    if proxies := settings.trusted_proxies:  # each of them adds one value; what callers wrote before is not believed
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    return app


MEANINGS = {
    "static": "by words and by likeness, embeddings from the table that comes with Foyer",
    "minilm": "by words and by likeness, embeddings from the installed encoder all-MiniLM-L6-v2",
    "none": "BY WORDS ALONE",
}


def opening_lines(runtime: Runtime, *, terminal: bool | None = None) -> list[str]:
    """What is said when the desk has opened: where it listens, what survives, who answers, where mail goes, how to begin.

    The key itself is only said on a terminal, where nobody collects the lines.
    """
    settings, storage = runtime.settings, runtime.storage
    everywhere = settings.bind_host in ("0.0.0.0", "::")  # noqa: S104
    address = f"http://{'localhost' if everywhere else settings.bind_host}:{settings.port}"
    reach = "from every machine that reaches this one" if everywhere else "from this machine"
    stays = runtime.survives_restart
    kept = "survives a restart" if stays else f"IS LOST AT THE NEXT RESTART\n         {runtime.storage_note}"
    ai = (
        f"{settings.openai_model}, canned replies when it cannot"
        if runtime.model
        else "canned replies (no OPENAI_API_KEY)"
    )
    mail = f"by {settings.smtp_host}" if settings.smtp_host else "one log line per notice (no SMTP_HOST)"
    lines = [
        f"Foyer is open at {address} {reach} (help at {address}/docs)",
        f"  data   {storage.place} ({storage.name}), {kept}",
        f"  AI     {ai}",
        f"  triage {MEANINGS[runtime.embeddings.name]}"
        + (f" ({runtime.embeddings.note})" if runtime.embeddings.note else ""),
        f"  mail   {mail}",
    ]
    given = settings.api_key.get_secret_value()
    file = key_file(settings)
    made = f"in {file}" if stays else f"in {file}, lost with the data; set API_KEY to keep one"
    elsewhere = f"one that the data came with; it is not in {file}, so bring that file along or set API_KEY"
    lines.append(f"  key    {'the one in API_KEY' if given else made if file.exists() else elsewhere}")
    if (sys.stdout.isatty() if terminal is None else terminal) and (given or file.exists()):
        key = given or file.read_text().strip()
        ticket = '{"title": "Cannot login", "description": "My team is blocked.", "customer_email": "ada@example.com"}'
        lines += [
            "  try    "
            + f"curl {address}/api/tickets -H {shlex.quote(f'X-API-Key: {key}')} "
            + f"-H 'Content-Type: application/json' -d {shlex.quote(ticket)}"
        ]
    return lines


try:
    app = create_app()
except ConfigError as error:
    sys.exit(str(error))


def main() -> None:
    """Serves on this machine until Ctrl-C or a polite request to stop."""
    runtime: Runtime = app.extensions["runtime"]
    settings = runtime.settings
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = make_server(settings.bind_host, settings.port, app, threaded=True)  # says so when the port is taken
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

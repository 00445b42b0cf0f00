"""The front door: create_app wires the rooms together; `python app.py` opens the desk on this machine.

Nothing is opened at import, so that gunicorn and the flask commands can both load `app`.
"""

import logging
import sys

from flask import Flask

from ai_responder import Completes
from api import routes
from config import ConfigError, Settings, load_settings
from foyer import Foyer
from notifier import Mailer
from storage import Clock, StorageError
from times import now


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock = now,
    model: Completes | None = None,
    mailer: Mailer | None = None,
) -> Flask:
    """The app of one desk. Without `settings` they are read from the environment. Raises ConfigError."""
    settings = settings or load_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = Flask("foyer", static_folder=None, root_path=str(settings.data_dir))
    app.url_map.strict_slashes = False
    app.extensions["foyer"] = Foyer(settings, clock=clock, model=model, mailer=mailer)
    app.extensions["api"] = routes.install(app, cors_origins=settings.cors_origin_list)
    return app


try:
    app = create_app()
except ConfigError as error:
    sys.exit(str(error))


def main() -> None:
    """Serves on this machine until Ctrl-C."""
    foyer: Foyer = app.extensions["foyer"]
    settings = foyer.settings
    try:
        foyer.start()
    except StorageError as error:
        sys.exit(str(error))
    try:
        app.run(settings.bind_host, settings.port, threaded=True)
    finally:
        foyer.stop()


if __name__ == "__main__":
    main()

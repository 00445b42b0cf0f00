"""The entry point of the function, `deploy.aws.entry.handler`. It opens the server at import, while Lambda starts an instance.

A setting or a store that cannot be used ends the start with its sentence in the log.
"""

import logging

from app import create_app
from config import load_settings
from deploy.aws.handler import Function
from deploy.aws.self_call import SelfCall
from runtime import logs


def open_function() -> Function:
    """An open server behind a handler. Raises ConfigError and StorageError."""
    settings = load_settings()
    logging.getLogger().setLevel(settings.log_level)
    logs.mask_handlers()  # Lambda has set up the log before, and `create_app` leaves it as it is
    app = create_app(settings)
    app.extensions["runtime"].open()
    return Function(app, SelfCall(settings.aws_lambda_function_name))


handler = open_function()

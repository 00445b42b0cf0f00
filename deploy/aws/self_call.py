"""The function's call of itself: it asks for a run of jobs without waiting for it."""

import logging
import time
from typing import Any

import orjson

log = logging.getLogger("foyer.aws")

SECONDS = 2.0  # limit for the connection, and the same for the answer
PAUSE_SECONDS = 60  # after a failure: no request waits for another one; the schedule runs the jobs


class SelfCall:
    """Invokes the function by its name, as its role. After a failure, which is logged, the jobs wait for the schedule."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._client: Any = None
        self._paused_until = 0.0

    def __call__(self, event: dict[str, str]) -> None:
        """Asks Lambda to run the function with an event."""
        if time.time() < self._paused_until:
            return
        import boto3  # at the first use: it takes as long as a good part of the start
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._client is None:
                config = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
                self._client = boto3.client("lambda", config=config)
            self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=orjson.dumps(event))
        except (BotoCoreError, ClientError) as error:
            self._paused_until = time.time() + PAUSE_SECONDS
            reason = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            log.warning("Jobs wait for the schedule, because the function could not call itself: %s", reason)

"""Amazon SNS: publishes alerts to one topic. The only file that imports boto3, which is an optional extra."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

SECONDS = 10.0  # limit for the connection, and the same for the answer
TRIES = 1  # of boto3; the job runner retries
MOST_SUBJECT = 100  # characters, a limit of SNS


class PublishFailed(Exception):
    """The alert was not published. The text is the error code of SNS or of the network, without the alert."""


class Publishes(Protocol):
    """The interface of an alert topic. Topic implements it."""

    def publish(self, subject: str, alert: Mapping[str, Any]) -> None: ...


class Topic:
    """One topic, named by its ARN. Credentials and endpoint are those of boto3: environment, profile, role."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._client: Any = None

    def publish(self, subject: str, alert: Mapping[str, Any]) -> None:
        """Publishes an alert as JSON. Raises PublishFailed."""
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._client is None:
                config = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": TRIES})
                region = self._arn.split(":")[3]
                self._client = boto3.client("sns", region_name=region, config=config)
            self._client.publish(TopicArn=self._arn, Subject=subject[:MOST_SUBJECT], Message=json.dumps(alert))
        except ClientError as error:
            raise PublishFailed(error.response.get("Error", {}).get("Code", "ClientError")) from None
        except BotoCoreError as error:
            raise PublishFailed(type(error).__name__) from None

"""The secrets that sign webhooks, and the signatures (Standard Webhooks, https://www.standardwebhooks.com).

A secret is derived from the server's SECRET_KEY, the webhook's id and its generation. So none is stored, neither in the data
nor in a backup; another SECRET_KEY makes other secrets.
"""

import base64
import hmac
from datetime import datetime

from standardwebhooks import Webhook

from storage import Row

ROTATION_SECONDS = 24 * 3600  # for so long the old secret signs beside the new one


def secret_of(server_secret: str, webhook_id: str, generation: int) -> str:
    """The secret of a generation (1, 2, …) of a webhook, in the form of Standard Webhooks: `whsec_` and 32 bytes in base64."""
    name = f"webhook {webhook_id} {generation}"
    digest = hmac.digest(server_secret.encode(), name.encode(), "sha256")
    return f"whsec_{base64.b64encode(digest).decode()}"


def headers(
    server_secret: str, webhook: Row, event_id: str, body: str, *, now: datetime, real_now: str
) -> dict[str, str]:
    """The three headers of a try at the time `now`. While a secret is rotated, both secrets sign."""
    generations = [webhook["generation"]]
    if webhook["rotated_until"] and webhook["rotated_until"] > real_now:
        generations.append(webhook["generation"] - 1)
    signatures = [
        Webhook(secret_of(server_secret, webhook["id"], generation)).sign(event_id, now, body)
        for generation in generations
    ]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }

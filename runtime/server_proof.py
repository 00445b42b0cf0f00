"""The server that runs on this machine: where it serves, and the proof of it that a command asks for before it sends a key."""

import hmac
import secrets

import requests

from database.json_store.folder_lock import Owner

CHALLENGE, PROOF = "X-Foyer-Challenge", "X-Foyer-Proof"  # headers of a request to /health and of its answer
TIMEOUT_SECONDS = 10


def url_of(host: str, port: int, scheme: str = "http") -> str:
    """The address of a server on this machine that listens on `host` and `port`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"{scheme}://{host}:{port}"


def proof(secret: str, challenge: str) -> str:
    """What only a process that knows the secret can answer to a challenge."""
    return hmac.new(secret.encode(), f"foyer {challenge}".encode(), "sha256").hexdigest()


def is_proven(owner: Owner) -> bool:
    """Whether the server at the address in the note is the process that wrote the note."""
    challenge = secrets.token_hex(32)
    try:
        answer = requests.get(
            f"{owner.url}/health", headers={CHALLENGE: challenge}, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
    except requests.RequestException:
        return False
    answer_proof = answer.headers.get(PROOF, "")
    return bool(owner.secret) and hmac.compare_digest(answer_proof.encode(), proof(owner.secret, challenge).encode())

"""A real OpenID Connect issuer on a local port: discovery, keys of both kinds, rotation, and every way to be broken."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

AUDIENCE = "api://foyer"
DISCOVERY = "/.well-known/openid-configuration"


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


FIRST, SECOND = rsa_key(), rsa_key()  # made once: they take their time
CURVE = ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> bytes:
    """The private key as PyJWT takes it."""
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def public_pem(key: Any) -> bytes:
    """The public key as everybody may have it."""
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def listed(key: Any, key_id: str, **more: Any) -> dict[str, Any]:
    """The public key as the issuer lists it."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    public = json.loads(kind.to_jwk(key.public_key()))
    public.pop("key_ops", None)
    return {**public, "kid": key_id, "use": "sig", "alg": algorithm, **more}


class FakeIssuer:
    """The issuer: `keys` are what it lists, `answers` replaces what a path gives, `asked` is what was asked for."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.keys = [listed(FIRST, "one"), listed(CURVE, "curve")]
        self.answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.delay = 0.0
        self.drip = 0.0
        self.hold: threading.Event | None = None
        self.asked: list[str] = []

    def document(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of a path."""
        if path in self.answers:
            return self.answers[path]
        if path == DISCOVERY:
            return 200, json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode(), {}
        if path == "/keys":
            return 200, json.dumps({"keys": self.keys}).encode(), {}
        return 404, b"{}", {}

    def says(self, path: str, body: Any, status: int = 200, **headers: str) -> None:
        """What a path gives from now on."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = (status, raw, {name.replace("_", "-"): value for name, value in headers.items()})

    def times_asked(self) -> int:
        """How often the keys were asked for, or tried to be."""
        return self.asked.count(DISCOVERY)

    def token(self, key: Any = FIRST, key_id: str | None = "one", *, header: Any = None, **claims: Any) -> str:
        """A signed token of a person; a claim given as None is left out."""
        now = int(time.time())
        said = {"iss": self.url, "aud": AUDIENCE, "sub": "ada-1", "iat": now, "exp": now + 600, **claims}
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        headers = {**({"kid": key_id} if key_id is not None else {}), **(header or {})}
        return jwt.encode({k: v for k, v in said.items() if v is not None}, pem(key), algorithm, headers)


@contextmanager
def issuer() -> Iterator[FakeIssuer]:
    """A running issuer on a free port."""
    fake: FakeIssuer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.asked.append(self.path)
            if fake.hold:
                fake.hold.wait(10)
            time.sleep(fake.delay)
            status, body, headers = fake.document(self.path)
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for start in range(0, len(body), 1 if fake.drip else len(body)):
                    self.wfile.write(body[start : start + 1] if fake.drip else body)
                    self.wfile.flush()
                    time.sleep(fake.drip)
            except OSError:  # the other side had enough
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake = FakeIssuer(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""A real OpenID Connect issuer on a local port: discovery, keys of both kinds, rotation, and every way to be broken."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

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
        self.flow = CodeFlow(self)

    def document(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of a path."""
        if path in self.answers:
            return self.answers[path]
        if path == DISCOVERY:
            return 200, json.dumps(self.discovery()).encode(), {}
        if path.startswith("/authorize?"):
            return self.flow.authorize(dict(parse_qsl(urlsplit(path).query)))
        if path == "/keys":
            return 200, json.dumps({"keys": self.keys}).encode(), {}
        return 404, b"{}", {}

    def discovery(self) -> dict[str, Any]:
        """Its discovery document."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            **self.flow.metadata,
        }

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


class CodeFlow:
    """The code flow of the issuer (RFC 6749, RFC 7636): `person` are the claims of whoever signs in there.

    `refusal` is the error that it sends everybody back with.
    `claims` replaces claims of the ID token, `secret` makes the client a confidential one, `back` adds to its redirect.
    """

    def __init__(self, fake: FakeIssuer) -> None:
        self.person: dict[str, Any] = {"sub": "ada-1", "email": "ada@example.com", "email_verified": True}
        self.claims: dict[str, Any] = {}
        self.token_options: dict[str, Any] = {}
        self.secret = ""
        self.metadata: dict[str, Any] = {}
        self.refusal = ""
        self.back: dict[str, str] = {"session_state": "x"}
        self.used: list[dict[str, str]] = []
        self._fake = fake
        self._codes: dict[str, dict[str, str]] = {}

    def authorize(self, query: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        """Signs the person in at once and sends the browser back with a code."""
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        if self.refusal:
            refused = {"error": self.refusal, "state": query["state"]}
            return 302, b"", {"Location": f"{query['redirect_uri']}?{urlencode(refused)}"}
        code = secrets.token_urlsafe(8)
        self._codes[code] = query
        back = {"code": code, "state": query["state"], **self.back}
        return 302, b"", {"Location": f"{query['redirect_uri']}?{urlencode(back)}"}

    def token(self, form: dict[str, str], login: str) -> tuple[int, bytes, dict[str, str]]:
        """An ID token for a code, once, to the client that asked for it and has the verifier."""
        self.used.append(form)
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        credentials = f"{asked['client_id'] if asked else ''}:{quote_plus(self.secret)}"
        basic = base64.b64encode(credentials.encode()).decode()
        is_client = not self.secret or form.get("client_secret") == self.secret or login == f"Basic {basic}"
        if asked is None or challenge.decode().rstrip("=") != asked["code_challenge"] or not is_client:
            return 400, b'{"error": "invalid_grant", "error_description": "<b>evil</b>"}', {}
        if form["redirect_uri"] != asked["redirect_uri"]:
            return 400, b'{"error": "invalid_grant"}', {}
        claims = {**self.person, "aud": asked["client_id"], "nonce": asked["nonce"], **self.claims}
        token = self._fake.token(**self.token_options, **claims)
        return 200, json.dumps({"id_token": token, "access_token": "a", "token_type": "Bearer"}).encode(), {}


@contextmanager
def issuer() -> Iterator[FakeIssuer]:
    """A running issuer on a free port."""
    fake: FakeIssuer

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            if self.path in fake.answers:
                self._answer(*fake.answers[self.path])
            else:
                self._answer(*fake.flow.token(form, self.headers.get("Authorization", "")))

        def do_GET(self) -> None:
            fake.asked.append(self.path)
            if fake.hold:
                fake.hold.wait(10)
            time.sleep(fake.delay)
            self._answer(*fake.document(self.path))

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
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

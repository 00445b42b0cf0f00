"""A real mail server for tests: keeps what it is sent; refuses, vanishes, demands TLS and a password on request."""

import shutil
import socket
import ssl
import subprocess
import tempfile
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

Refusal = Literal["", "temporary", "permanent", "set-up"]
ANSWERS = {
    "temporary": "451 4.3.0 Try again later",
    "permanent": "550 5.1.1 No such person",
    "set-up": "504 5.5.2 Need a fully qualified address",
}


class Received(EmailMessage):
    """A message as the server got it: parsed, with its envelope and its bytes."""

    rcpt: list[str]
    sender: str
    raw: bytes


class FakeSmtp:
    """A mail server on a free port of this machine, running between `with` (or start) and stop.

    `refuse` is how it answers, at the recipient or (`refuse_at = "message"`) after the message; `goodbye` is its
    answer to QUIT. With `tls` or `starttls` its certificate is made on the spot and trusted by `client_context`.
    With `username` it wants a sign-in before anything else.
    """

    host = "127.0.0.1"

    def __init__(self, *, tls: bool = False, starttls: bool = False, username: str = "", password: str = "") -> None:
        self.messages: list[Received] = []
        self.refuse: Refusal = ""
        self.refuse_at: Literal["recipient", "message"] = "recipient"
        self.goodbye = "221 Bye"
        self.port = _free_port()
        self.client_context: ssl.SSLContext | None = None
        self._login = (username.encode(), password.encode())
        self._options: dict[str, Any] = {}
        if tls or starttls:
            server_context, self.client_context = _contexts()
            self._options["ssl_context" if tls else "tls_context"] = server_context
            self._options["require_starttls"] = starttls
        if username:
            self._options |= {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": starttls}
        self._controller: Controller | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, again if need be, on the same port."""
        self._controller = Controller(self, hostname=self.host, port=self.port, **self._options)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; what was received stays."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    async def handle_RCPT(
        self, server: object, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse and self.refuse_at == "recipient":
            return ANSWERS[self.refuse]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:
        if self.refuse:
            return ANSWERS[self.refuse]
        raw = envelope.original_content or b""
        message = BytesParser(Received, policy=policy.default).parsebytes(raw)
        message.rcpt, message.sender, message.raw = list(envelope.rcpt_tos), envelope.mail_from or "", raw
        self.messages.append(message)
        return "250 OK"

    async def handle_QUIT(self, server: object, session: Session, envelope: Envelope) -> str:
        return self.goodbye

    def _authenticate(
        self, server: object, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == self._login
        return AuthResult(success=known, handled=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _contexts(keep: Path | None = None) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate of its own for 127.0.0.1, and a client's that trusts nothing else.

    The files of the certificate stay in `keep`, where it is given.
    """
    openssl = shutil.which("openssl")
    assert openssl, "the openssl program is needed to make a certificate"
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
        command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
        subprocess.run(command, check=True, capture_output=True)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        return server, ssl.create_default_context(cafile=str(certificate))

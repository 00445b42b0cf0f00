"""Sends one webhook over HTTP: only to public addresses, to the address that was checked, within bounds of time and size.

The name is resolved once for each call and the connection goes to that address, so another answer of the DNS (rebinding)
changes nothing. There are no proxies, no redirects, no cookies and no kept connections.
"""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from time import monotonic

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Url, parse_url

from core import timestamps
from core.version import VERSION

CONNECT_SECONDS, TOTAL_SECONDS = 5.0, 10.0
MOST_ADDRESSES = 3  # of a name that are tried
MOST_ANSWER = 16 * 1024  # bytes of the answer's body that are read; none are kept
MOST_URL = 2_000
UNREACHABLE, TOO_SLOW = "The receiver cannot be reached.", "The receiver did not answer in time."
USER_AGENT = f"Foyer-Webhooks/{VERSION}"
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")  # all unicast addresses that are assigned (RFC 4291 §2.4)
# Public by their number, but they lead into other networks or to the machine's host.
_NOT_PUBLIC = [
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # RFC 6890
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "168.63.129.16/32",  # Azure's metadata
        "2001::/23",  # Teredo and other protocols, RFC 2928
        "2002::/16",  # 6to4: holds an IPv4 address
        "3fff::/20",  # documentation, RFC 9637
    )
]


class Refused(Exception):
    """The address may not be called. The text says why, for whoever subscribed it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try: the HTTP status (0 without an answer), a short reason, and the seconds the receiver asks to wait."""

    status: int
    error: str = ""
    retry_after: int = 0

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing more (410)."""
        return self.status == 410


class Sender:
    """Sends webhooks. Hosts in `allow_hosts`, as they are written in the URL, may be private and may be plain http."""

    def __init__(self, allow_hosts: Collection[str] = (), *, total_seconds: float = TOTAL_SECONDS) -> None:
        self._allow_hosts = frozenset(host.lower() for host in allow_hosts)
        self._total_seconds = total_seconds
        self._tls: ssl.SSLContext | None = None  # reads all certificates, so it is made once

    def check(self, url: str) -> None:
        """Raises Refused for an address that may not be called, or whose name does not resolve at the moment."""
        parts = self._parse(url)
        self._addresses(parts)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Sends the body and returns what became of it. Does not raise; takes TOTAL_SECONDS and the time of one look-up at most."""
        try:
            parts = self._parse(url)
            addresses = self._addresses(parts)
        except Refused as error:
            return Outcome(0, str(error))
        until, outcome = monotonic() + self._total_seconds, Outcome(0, "No address of the host answered.")
        for address in addresses[:MOST_ADDRESSES]:
            outcome = self._post_to(address, parts, body, headers, until=until)
            if outcome.error != UNREACHABLE or monotonic() >= until:
                break
        return outcome

    def _parse(self, url: str) -> Url:
        """The parts of an address whose form is allowed. Raises Refused."""
        if len(url) > MOST_URL or not url.isprintable() or "\\" in url or " " in url:
            raise Refused(f"url must be an address like https://example.com/hook, of at most {MOST_URL} characters.")
        try:
            parts = parse_url(url)
        except LocationParseError:
            parts = Url()
        if parts.scheme not in ("https", "http") or not parts.host:
            raise Refused("url must be an address like https://example.com/hook.")
        if parts.auth:
            raise Refused("url must not hold a name or password before the host.")
        if parts.scheme == "http" and not self._is_allowed(parts):
            raise Refused("url must begin with https://. Plain http is only for hosts in WEBHOOK_ALLOW_HOSTS.")
        return parts

    def _is_allowed(self, parts: Url) -> bool:
        return _host(parts) in self._allow_hosts

    def _addresses(self, parts: Url) -> list[str]:
        """The addresses of the host. Raises Refused when one of them is not public, or when there is none."""
        host, port = _host(parts), parts.port or _default_port(parts)
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Refused(f"The host {host[:100]} does not resolve.") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        if not self._is_allowed(parts) and not all(map(is_public, addresses)):
            raise Refused(f"The host {host[:100]} is not on the public internet.")
        return addresses

    def _post_to(self, address: str, parts: Url, body: bytes, headers: Mapping[str, str], *, until: float) -> Outcome:
        connection = self._connection(address, parts)
        watch = threading.Timer(max(0.0, until - monotonic()), _cut, [connection])
        watch.daemon = True
        watch.start()
        with closing(connection):
            try:
                try:
                    connection.connect()
                except (OSError, HTTPError) as error:
                    return Outcome(0, _problem(error, late=monotonic() >= until, connected=False))
                return self._exchange(connection, parts, body, headers, until=until)
            except (OSError, HTTPError, HTTPException, ValueError) as error:
                return Outcome(0, _problem(error, late=monotonic() >= until, connected=True))
            finally:
                watch.cancel()

    def _connection(self, address: str, parts: Url) -> HTTPConnection:
        """A connection to that very address, not opened yet. The certificate must be that of the host in the URL."""
        port, seconds = parts.port or _default_port(parts), min(CONNECT_SECONDS, self._total_seconds)
        if parts.scheme == "http":
            return HTTPConnection(address, port, timeout=seconds)
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=certifi.where())
            self._tls.load_default_certs()
        return HTTPSConnection(address, port, timeout=seconds, ssl_context=self._tls, server_hostname=_host(parts))

    def _exchange(
        self, connection: HTTPConnection, parts: Url, body: bytes, headers: Mapping[str, str], *, until: float
    ) -> Outcome:
        if connection.sock is not None:
            connection.sock.settimeout(self._total_seconds)
        own_headers = {
            "Host": parts.netloc or "",
            "User-Agent": USER_AGENT,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        target = parts.request_uri
        connection.request("POST", target, body, {**own_headers, **headers}, preload_content=False)
        response = connection.getresponse()
        if monotonic() >= until:
            return Outcome(0, TOO_SLOW)  # cut off within the headers, which reads like their end
        status, wait = response.status, _seconds(response.headers.get("Retry-After", ""))
        with suppress(OSError, HTTPError, HTTPException):  # the status has arrived, and it alone counts
            response.read(MOST_ANSWER, decode_content=False)
        if 200 <= status < 300:
            return Outcome(status)
        hint = " Redirects are not followed." if 300 <= status < 400 else ""
        return Outcome(status, f"The receiver answered {status}.{hint}", wait)


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet: not private, loopback, link-local, mapped, reserved or metadata."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # with the zone of a link
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_IPV6:
        return False
    if any(ip in network for network in _NOT_PUBLIC if network.version == ip.version):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def _host(parts: Url) -> str:
    return str(parts.host).strip("[]").lower()


def _default_port(parts: Url) -> int:
    return 443 if parts.scheme == "https" else 80


def _cut(connection: HTTPConnection) -> None:
    """Ends a call that takes too long, whatever it waits for: a socket's timeout begins anew with each byte."""
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _problem(error: Exception, *, late: bool, connected: bool) -> str:
    """Why a call failed, in words that quote nothing of the answer."""
    reason: BaseException | None = error
    while reason is not None and not isinstance(reason, ssl.SSLError):
        reason = reason.__cause__ or reason.__context__
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"The certificate of the receiver is not valid: {reason.verify_message}."
    if late or isinstance(error, TimeoutError):
        return TOO_SLOW if connected else UNREACHABLE
    return "The receiver broke the connection off." if connected else UNREACHABLE


def _seconds(retry_after: str) -> int:
    """Retry-After as seconds from now, 0 without one that can be read (RFC 9110 §10.2.3)."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    with suppress(ValueError, TypeError, OverflowError):
        return max(0, int((parsedate_to_datetime(text) - timestamps.now()).total_seconds()))
    return 0

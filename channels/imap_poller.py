"""Fetches mail from a mailbox by IMAP. The only importer of imap-tools and imaplib.

Each mail is handed on, and marked or moved only after that. Fetching changes nothing in the mailbox.
"""

import imaplib
import logging
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from channels.mail_parser import HEADERS_ONLY, MAIL
from core.errors import AppError

log = logging.getLogger("foyer.inbound")

Security = Literal["ssl", "starttls", "none"]
Take = Callable[[str, bytes], object]  # media type and bytes of a mail; raises when the mail was not kept
MOST_AT_ONCE = 50
MOST_BYTES = 25 * 1024 * 1024
TIMEOUT_SECONDS = 30.0
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class MailboxFailed(Exception):
    """The mailbox cannot be read. The text names the setting to look at and holds no password and no answer of the server."""


@dataclass(slots=True)
class Mailbox:
    """A folder of a mailbox. With `done_folder` each mail is moved there; without it unread mail is taken and marked as read."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    security: Security = "ssl"
    folder: str = "INBOX"
    done_folder: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    note: str = field(default="", init=False)  # why the last poll failed, "" when it did not

    def take_new(self, take: Take) -> int:
        """Hands each new mail to `take`, then marks or moves it; returns how many. Raises MailboxFailed, and what `take` does."""
        try:
            mailbox = self._open()
        except (ImapToolsError, imaplib.IMAP4.error, OSError, UnicodeError) as error:
            raise self._failure(error) from None
        try:
            return self._take_from(mailbox, take)
        except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
            raise self._failure(error) from None
        finally:
            _leave(mailbox)

    def note_failure(self, note: str) -> bool:
        """Remembers why the mailbox could not be read. Whether that is new."""
        is_new, self.note = note != self.note, note
        return is_new

    def note_success(self) -> bool:
        """Forgets the last failure. Whether there was one."""
        had_failed, self.note = bool(self.note), ""
        return had_failed

    def _open(self) -> BaseMailBox:
        if self.security == "ssl":
            mailbox: BaseMailBox = MailBox(self.host, self.port, self.timeout_seconds, ssl_context=self.context)
        elif self.security == "starttls":
            mailbox = MailBoxStartTls(self.host, self.port, self.timeout_seconds, ssl_context=self.context)
        else:
            mailbox = MailBoxUnencrypted(self.host, self.port, self.timeout_seconds)
        try:
            mailbox.login(self.username, self.password, initial_folder=None)
            _read_capabilities(mailbox)
            if self.done_folder and not mailbox.folder.exists(self.done_folder):
                mailbox.folder.create(self.done_folder)
            mailbox.folder.set(self.folder)
        except BaseException:
            _leave(mailbox)
            raise
        return mailbox

    def _take_from(self, mailbox: BaseMailBox, take: Take) -> int:
        count = 0
        for uid in mailbox.uids("ALL" if self.done_folder else "UNSEEN")[:MOST_AT_ONCE]:
            mail = _fetch(mailbox, uid)
            if mail is not None:
                if not _is_taken(take, mail):
                    continue  # the others must not wait for it
                count += 1
            if self.done_folder:
                mailbox.move(uid, self.done_folder)
            else:  # not mailbox.flag: it also removes what other programs have marked as deleted
                _uid(mailbox, "STORE", uid, "+FLAGS", "(\\Seen)")
        return count

    def _failure(self, error: Exception) -> MailboxFailed:
        name = type(error).__name__
        if isinstance(error, ssl.SSLCertVerificationError):
            cause = "the certificate of the mail server is not valid for it: see IMAP_HOST"
        elif isinstance(error, ssl.SSLError):
            cause = "the mail server does not speak TLS as expected: see IMAP_SECURITY and IMAP_PORT"
        elif isinstance(error, MailboxLoginError | UnicodeError):
            cause = "the mail server refused the sign-in: see IMAP_USERNAME and IMAP_PASSWORD"
        elif "Folder" in name:
            cause = "the mailbox has no such folder: see IMAP_FOLDER and IMAP_DONE_FOLDER"
        elif isinstance(error, TimeoutError):
            cause = "the mail server does not answer in time: see IMAP_HOST and IMAP_PORT"
        elif isinstance(error, OSError):
            cause = "the mail server cannot be reached: see IMAP_HOST and IMAP_PORT"
        else:
            cause = "the mail server broke off: see IMAP_HOST, IMAP_PORT and IMAP_SECURITY"
        return MailboxFailed(f"{cause} ({name})")


def _read_capabilities(mailbox: BaseMailBox) -> None:
    """Reads again what the server can do: many name MOVE only after the sign-in.

    Without MOVE, imap-tools copies and expunges, which also removes what other programs have marked as deleted.
    """
    status, data = mailbox.client.capability()
    if status == "OK" and data[-1]:
        mailbox.client.capabilities = tuple(data[-1].decode("ascii", "replace").upper().split())


def _fetch(mailbox: BaseMailBox, uid: str) -> tuple[str, bytes] | None:
    """The bytes of a mail without marking it, of a very large one only the headers; None when it is gone."""
    size = _SIZE.search(
        b" ".join(part for part in _uid(mailbox, "FETCH", uid, "(RFC822.SIZE)") if isinstance(part, bytes))
    )
    if size is None:
        return None
    too_large = int(size[1]) > MOST_BYTES
    data = _uid(mailbox, "FETCH", uid, "(BODY.PEEK[HEADER])" if too_large else "(BODY.PEEK[])")
    body = next((part[1] for part in data if isinstance(part, tuple)), None)
    return None if body is None else (HEADERS_ONLY if too_large else MAIL, body)


def _is_taken(take: Take, mail: tuple[str, bytes]) -> bool:
    try:
        take(*mail)
    except AppError:  # the store does not take it now: neither will it take the others
        raise
    except Exception:
        log.exception("A mail could not be kept. It stays in the mailbox and is tried again")
        return False
    return True


def _uid(mailbox: BaseMailBox, *command: str) -> list[Any]:
    status, data = mailbox.client.uid(*command)
    if status != "OK":
        raise imaplib.IMAP4.error("the command was refused")
    return [part for part in data if part is not None]


def _leave(mailbox: BaseMailBox) -> None:
    with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):  # each mail has had its mark
        mailbox.client.logout()


def open_mailbox(
    *, host: str, port: int, username: str, password: str, security: Security, folder: str, done_folder: str
) -> Mailbox | None:
    """The mailbox that these settings name, None without a host. Nothing is connected yet; port 0 is the usual one."""
    if not host:
        return None
    usual = 993 if security == "ssl" else 143
    return Mailbox(host, port or usual, username, password, security, folder, done_folder)

"""A real IMAP server for tests: Debian's dovecot in a folder of its own, with one mailbox, started and stopped by the test."""

import getpass
import imaplib
import os
import pwd
import shutil
import ssl
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.fakes.fake_smtp import _contexts
from tests.fakes.running_server import free_port

USER, PASSWORD = "support@desk.example", "sesame-of-the-tests"
PATIENCE_SECONDS = 20
CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = {ssl}
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
mail_uid = {mail_user}
mail_gid = {mail_user_group}
auth_failure_delay = 0
first_valid_uid = 0
first_valid_gid = 0
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={mail_user} gid={mail_user_group} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """An IMAP server on two free ports of this machine: `plain` (with STARTTLS) and `tls`, trusted by `client_context`."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plain, self.tls = free_port(), free_port()
        self.client_context: ssl.SSLContext | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Listens, again if need be, on the same ports with the same mails."""
        program = shutil.which("dovecot") or "/usr/sbin/dovecot"
        assert Path(program).exists(), "dovecot is needed: apt-get install dovecot-imapd"
        for name in ("run", "state", "home", "mail"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if self.client_context is None:
            self.client_context = self._certificate()
        path = self.folder / "dovecot.conf"
        path.write_text(self._config())
        self._process = subprocess.Popen([program, "-F", "-c", str(path)], stderr=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                self.client().logout()
            except (OSError, imaplib.IMAP4.error):
                time.sleep(0.05)
            else:
                return
        log = self.folder / "log"
        raise AssertionError(f"dovecot did not open: {log.read_text() if log.exists() else ''}")

    def stop(self) -> None:
        """Stops listening; the mails stay."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def client(self) -> imaplib.IMAP4:
        """A signed-in connection of the test's own."""
        client = imaplib.IMAP4(self.host, self.plain, timeout=PATIENCE_SECONDS)
        client.login(USER, PASSWORD)
        return client

    def deliver(self, mail: bytes, folder: str = "INBOX") -> None:
        """Puts a mail into a folder."""
        client = self.client()
        status, _ = client.append(folder, "", imaplib.Time2Internaldate(time.time()), mail)
        assert status == "OK"
        client.logout()

    def count(self, criterion: Literal["ALL", "SEEN", "UNSEEN"] = "ALL", folder: str = "INBOX") -> int:
        """How many mails of a folder are in that state."""
        client = self.client()
        assert client.select(folder, readonly=True)[0] == "OK"
        _, data = client.search(None, criterion)
        client.logout()
        return len(data[0].split())

    def _certificate(self) -> ssl.SSLContext:
        return _contexts(self.folder)[1]

    def _config(self) -> str:
        is_root = os.getuid() == 0
        own = getpass.getuser()
        account = pwd.getpwnam("dovecot" if is_root else own)
        group = subprocess.run(
            ["id", "-gn", account.pw_name], check=True, capture_output=True, text=True
        ).stdout.strip()
        if is_root:  # dovecot never reads mail as root
            shutil.chown(self.folder / "mail", account.pw_uid, account.pw_gid)
            shutil.chown(self.folder / "home", account.pw_uid, account.pw_gid)
            for parent in (self.folder, *self.folder.parents):
                if parent != Path("/") and parent.stat().st_uid == 0:
                    parent.chmod(parent.stat().st_mode | 0o011)
        return CONFIG.format(
            folder=self.folder,
            plain=self.plain,
            tls=self.tls,
            password=PASSWORD,
            ssl="yes",
            mail_user=account.pw_name,
            mail_user_group=group,
            internal="dovecot" if is_root else own,
            internal_group=group,
            login="dovenull" if is_root else own,
        )

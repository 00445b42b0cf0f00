"""Files in an S3 bucket, for several hosts together. boto3 is an optional extra (requirements-aws.txt).

Credentials, region and endpoint are those of boto3: environment, profile, role.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import IO, Any

from database.file_store.contract import PIECE, FileMissing, FileStoreFailed, checked

SECONDS = 10.0  # limit for the connection, and for each piece of an answer
TRIES = 3
CONNECTIONS = 32
_NOT_THERE = ("404", "NoSuchKey", "NotFound")


class Bucket:
    """A bucket, and the prefix of our keys in it."""

    is_local = False

    def __init__(self, name: str, prefix: str) -> None:
        self._name = name
        self._prefix = f"{prefix}/" if prefix else ""
        self._client: Any = None
        self._opening = threading.Lock()
        self.place = f"s3://{name}/{self._prefix}"

    def put(self, company_id: str, file_id: str, content: IO[bytes]) -> None:
        """Uploads a file, a large one in parts of 8 MiB. S3 shows it when all of it is durable."""
        from boto3.s3.transfer import TransferConfig

        key = self._key(company_id, file_id)
        with self._failures():
            config = TransferConfig(use_threads=False)
            self._open().upload_fileobj(_Unclosed(content), self._name, key, Config=config)

    @contextmanager
    def open(self, company_id: str, file_id: str) -> Iterator[Iterator[bytes]]:
        """Reads a file in pieces."""
        with self._failures():
            body = self._open().get_object(Bucket=self._name, Key=self._key(company_id, file_id))["Body"]
        with closing(body):
            yield self._pieces(body)

    def exists(self, company_id: str, file_id: str) -> bool:
        """Whether the file is there."""
        try:
            with self._failures():
                self._open().head_object(Bucket=self._name, Key=self._key(company_id, file_id))
        except FileMissing:
            return False
        return True

    def delete(self, company_id: str, file_id: str) -> None:
        """Removes a file."""
        try:
            with self._failures():
                self._open().delete_object(Bucket=self._name, Key=self._key(company_id, file_id))
        except FileMissing:
            return

    def _pieces(self, body: Any) -> Iterator[bytes]:
        with self._failures():
            yield from body.iter_chunks(PIECE)

    def _key(self, company_id: str, file_id: str) -> str:
        return f"{self._prefix}{checked(company_id)}/{checked(file_id)}"

    def _open(self) -> Any:
        """The client, made at the first use: boto3 takes a second and 30 MiB."""
        import boto3
        from botocore.config import Config

        with self._opening:
            if self._client is None:
                retries = {"total_max_attempts": TRIES, "mode": "standard"}
                limits = {"connect_timeout": SECONDS, "read_timeout": SECONDS, "max_pool_connections": CONNECTIONS}
                self._client = boto3.session.Session().client("s3", config=Config(retries=retries, **limits))
        return self._client

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turns the errors of boto3 into FileMissing and FileStoreFailed."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "ClientError")
            if code in _NOT_THERE:
                raise FileMissing from None
            raise FileStoreFailed(f"{self.place} failed: {code}") from None
        except (BotoCoreError, Boto3Error) as error:
            raise FileStoreFailed(f"{self.place} failed: {type(error).__name__}") from None


class _Unclosed:
    """A file that boto3 reads and does not close."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        return self._file.read(size)

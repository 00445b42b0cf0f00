"""Both stores of files, a folder and an S3 bucket, do the same; and what each of them does when it fails."""

import contextlib
import hashlib
import io
import os
import resource
import signal
import uuid
from pathlib import Path

import boto3
import pytest

from core import setting_values
from core.errors import StorageError
from database.file_store.contract import FileMissing, FileStoreFailed
from database.file_store.folder import Folder
from database.file_store.opening import open_file_store
from tests.fakes import aws as fake_aws

COMPANY, ID = "default", "019aa000-0000-7000-8000-000000000001"
LARGE = bytes(range(256)) * 4 * 1024 * 9  # 9 MiB: more than one part of an upload to S3


@pytest.fixture(scope="module")
def aws():
    with fake_aws.running() as address:
        yield address


@pytest.fixture
def bucket_url(aws, monkeypatch):
    """The address of an empty bucket, with a prefix."""
    fake_aws.lead_there(monkeypatch, aws, region="us-east-1")
    name = f"files-{uuid.uuid4()}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/desk/files"


@pytest.fixture(params=["folder", "bucket"])
def files(request, tmp_path):
    url = request.getfixturevalue("bucket_url") if request.param == "bucket" else ""
    return open_file_store(url, tmp_path / "attachments")


def read(files, company=COMPANY, file_id=ID):
    with files.open(company, file_id) as pieces:
        return b"".join(pieces)


@pytest.mark.parametrize("content", [b"x", LARGE], ids=["small", "large"])
def test_what_is_put_is_read_and_deleted(files, content):
    assert not files.exists(COMPANY, ID)
    files.put(COMPANY, ID, io.BytesIO(content))
    assert files.exists(COMPANY, ID)
    assert hashlib.sha256(read(files)).digest() == hashlib.sha256(content).digest()
    files.delete(COMPANY, ID)
    files.delete(COMPANY, ID)
    assert not files.exists(COMPANY, ID)
    with pytest.raises(FileMissing), files.open(COMPANY, ID):
        pass


def test_companies_share_no_file(files):
    files.put(COMPANY, ID, io.BytesIO(b"one"))
    files.put("other", ID, io.BytesIO(b"two"))
    files.delete("other", ID)
    assert read(files) == b"one"


@pytest.mark.parametrize("name", ["..", "../default", "a/b", "", ".hidden", "a\\b", "a\x00b", "x" * 65])
def test_a_name_that_is_not_ours_is_never_part_of_a_path(files, name):
    for company, file_id in ((name, ID), (COMPANY, name)):
        assert not files.exists(company, file_id)
        with pytest.raises(FileMissing):
            files.put(company, file_id, io.BytesIO(b"x"))
        with pytest.raises(FileMissing), files.open(company, file_id):
            pass
        files.delete(company, file_id)


class Torn(io.BytesIO):
    """A file that breaks off after its first piece."""

    def read(self, size=-1):
        if self.tell():
            raise ConnectionResetError("the sender left")
        return super().read(max(1, size // 2))


def test_an_upload_that_breaks_off_leaves_nothing(files):
    with contextlib.suppress(ConnectionResetError, FileStoreFailed):
        files.put(COMPANY, ID, Torn(LARGE))
    assert not files.exists(COMPANY, ID)


@contextlib.contextmanager
def largest_file(size):
    """As on a full disk: a write beyond so many bytes of a file fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_leaves_no_part_of_a_file(tmp_path):
    files = Folder(tmp_path / "attachments")
    with largest_file(4096), pytest.raises(FileStoreFailed):
        files.put(COMPANY, ID, io.BytesIO(LARGE))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_syncs_the_file_and_its_name_before_it_returns(tmp_path, monkeypatch):
    files, synced = Folder(tmp_path / "attachments"), []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(str(Path(f"/proc/self/fd/{handle}").readlink())))
    files.put(COMPANY, ID, io.BytesIO(b"x"))
    folder = tmp_path / "attachments" / COMPANY
    assert synced == [str(tmp_path), str(tmp_path / "attachments"), f"{folder / ID}.part", str(folder)]


def test_a_write_that_was_killed_is_removed_with_the_file(tmp_path):
    files = Folder(tmp_path / "attachments")
    files.put(COMPANY, ID, io.BytesIO(b"x"))
    unfinished = tmp_path / "attachments" / COMPANY / f"{ID}.part"
    unfinished.write_bytes(b"half")
    files.delete(COMPANY, ID)
    assert not unfinished.exists()


def test_a_bucket_that_is_not_there_is_a_failure_not_a_missing_file(aws, bucket_url):
    files = open_file_store("s3://no-such-bucket-of-ours", None)
    with pytest.raises(FileStoreFailed):
        files.put(COMPANY, ID, io.BytesIO(b"x"))
    with pytest.raises(FileStoreFailed), files.open(COMPANY, ID):
        pass


@pytest.mark.parametrize(
    ("url", "boto3_is_there", "sentence"),
    [
        ("s3://bucket/prefix", False, "needs boto3: pip install -r requirements-aws.txt"),
        ("s3://", True, "must be like s3://bucket or s3://bucket/prefix"),
        ("s3://a b", True, "must be like s3://bucket or s3://bucket/prefix"),
    ],
)
def test_an_address_that_cannot_be_opened_is_refused_before_a_file_is_touched(
    url, boto3_is_there, sentence, monkeypatch
):
    monkeypatch.setattr(setting_values, "find_spec", lambda name: boto3_is_there or None)
    with pytest.raises(StorageError) as refused:
        open_file_store(url, None)
    assert str(refused.value) == f"{url} {sentence}"


def test_a_bucket_that_cannot_be_reached_is_a_failure(bucket_url, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    files = open_file_store(bucket_url, None)
    with pytest.raises(FileStoreFailed):
        files.put(COMPANY, ID, io.BytesIO(b"x"))


def test_a_file_that_cannot_be_read_to_its_end_is_a_failure_of_the_store(tmp_path):
    files = Folder(tmp_path)
    (tmp_path / COMPANY).mkdir()
    (tmp_path / COMPANY / ID).symlink_to("/proc/self/mem")  # opens, and reading its beginning is an error
    with pytest.raises(FileStoreFailed), files.open(COMPANY, ID) as pieces:
        b"".join(pieces)

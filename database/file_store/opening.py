"""Opens the store of files that an address names. Nothing is read or made until the first file."""

from pathlib import Path

from core.errors import StorageError
from core.setting_values import s3_folder
from database.file_store.bucket import Bucket
from database.file_store.contract import FileStore
from database.file_store.folder import Folder

S3 = "s3://"


def open_file_store(url: str, folder: Path) -> FileStore:
    """The store at that address: `s3://bucket/prefix`, a path of a folder, or "" for `folder`.

    Opens nothing. Raises StorageError for an address that names no bucket, and for a bucket without boto3.
    """
    if url.startswith(S3):
        try:
            s3_folder(url)
        except ValueError as error:
            raise StorageError(f"{url} {error}") from None
        bucket, _, prefix = url.removeprefix(S3).partition("/")
        return Bucket(bucket, prefix.strip("/"))
    return Folder(Path(url.removeprefix("file://")).expanduser().resolve() if url else folder)

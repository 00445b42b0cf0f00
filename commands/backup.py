"""The commands that move a whole server: flask copy, flask backup and flask restore. None of them starts one or makes a key.

They read the store itself and never ask a running server over HTTP: a backup holds every company, and no key may read two.
"""

import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask import current_app
from sqlalchemy import Connection

from config import Settings
from database.file_store.contract import FileStore
from database.file_store.opening import open_file_store
from database.transfer import backup_file
from database.transfer.files import Moved, Undo, archive_of, copy_files, file_rows, restore_archive, write_archive
from database.transfer.restore import TableChecksums, restore_into, table_checksums
from database.transfer.staging_copy import staging_copy, staging_copy_of_backup
from database.url import DOCUMENT, parse_url
from runtime.bootstrap import Runtime
from storage import StorageError

SECRETS = (
    "The settings and what stands beside the data in DATA_DIR are not part of it: take SECRET_KEY (or the file secret_key) "
    "along, or everybody has to sign in again, and the file api_key, which alone has the key of the first start."
)
_file = click.Path(dir_okay=False, path_type=Path)
_files_to = click.option(
    "--files-to",
    default="",
    help="Where attached files go: a folder or s3://bucket/prefix; ATTACHMENTS_URL when not given.",
)
_to = click.option("--to", "target", default="", help="Address of the store to fill; DATABASE_URL when not given.")


@click.command("copy")
@click.option("--from", "source", default="", help="Address of the store to read; DATABASE_URL when not given.")
@_to
@click.option("--files-from", default="", help="Where the attached files are; ATTACHMENTS_URL when not given.")
@_files_to
def _copy(source: str, target: str, files_from: str, files_to: str) -> None:
    """Copy a server that is stopped into an empty store of any engine.

    An address is what DATABASE_URL may be: json:, json:/folder, sqlite:///path.db or postgresql://… Attached files stay where
    they are, unless --files-from or --files-to names another folder or s3://bucket/prefix.
    """
    with server_settings() as settings:
        url, folder = source or _own_url(settings), settings.data_dir
        one, other = file_store(files_from, settings), file_store(files_to, settings)
        with staging_copy(url, folder, stopped=True) as staging:
            moved, undo = (Moved(), Undo(other)) if one.place == other.place else copy_files(staging, one, other)
            with undo:
                _restore_staging(staging, target or _own_url(settings), folder)
        if moved.files or moved.missing:
            click.echo(f"{moved.files} attached files are in {other.place}.{_without(moved, one)}")
        click.echo("Do not start the old server again: what waits to be mailed would be mailed by both.")


@click.command("backup")
@click.argument("file", type=_file)
@click.option("--overwrite", is_flag=True, help="Replace FILE when it is there.")
def _backup(file: Path, *, overwrite: bool) -> None:
    """Write everything of this server, which may be running, into FILE; zipped when its name ends in .gz."""
    with server_settings() as settings:
        _check_free(file, settings, overwrite=overwrite)
        with staging_copy(_own_url(settings), settings.data_dir) as staging:
            checksums, files = table_checksums(staging), file_store("", settings)
            with _progress_bar(_rows(checksums)) as bar:
                try:
                    with write_archive(staging, files, archive_of(file)) as moved:
                        backup_file.write(staging, file, step=bar.update)
                except OSError as error:
                    raise StorageError(
                        f"{file} cannot be written: {error.strerror or error}. No part of it is left."
                    ) from error
        _show(checksums)
        if moved.files or moved.missing:
            click.echo(f"{moved.files} attached files are in {archive_of(file)}; keep both.{_without(moved, files)}")
        click.echo(
            f"{_rows(checksums)} rows are in {file}. Keep it where only you can read it: it holds all companies."
        )
        click.echo(SECRETS)


def _check_free(file: Path, settings: Settings, *, overwrite: bool) -> None:
    """Raises StorageError unless a backup may be written there: only one backup takes another's place."""
    _, store_path = parse_url(_own_url(settings), settings.data_dir)
    real, reserved_paths = file.resolve(), (store_path.resolve(), settings.data_dir.resolve() / DOCUMENT)
    archive = archive_of(real)
    if archive.exists() and not (overwrite and (tarfile.is_tarfile(archive) if archive.is_file() else False)):
        raise StorageError(f"{archive} is there already. Name another file, or add --overwrite.")
    if any(real.parent == path.parent and real.name.startswith(path.name) for path in reserved_paths):
        raise StorageError(f"{file} is a name of the server's own files. Name another file.")
    if not real.exists():
        return
    if not overwrite:
        raise StorageError(f"{file} is there already. Name another file, or add --overwrite.")
    if not real.is_file() or not backup_file.is_one(real):
        raise StorageError(f"{file} is not a backup, so nothing is written over it. Name another file.")


@click.command("restore")
@click.argument("file", type=_file)
@_to
@_files_to
@click.option("--without-files", is_flag=True, help="Restore although the archive of attached files is not there.")
def _restore(file: Path, target: str, files_to: str, *, without_files: bool) -> None:
    """Put everything of the backup FILE into an empty store of any engine, and the files beside it where files are kept."""
    with server_settings() as settings, staging_copy_of_backup(file) as staging:
        files = file_store(files_to, settings)
        with _restored_files(staging, archive_of(file), files, without=without_files):
            _restore_staging(staging, target or _own_url(settings), settings.data_dir)
        click.echo("Mail that waited when the backup was made goes out at the next start, also if it was sent since.")
        click.echo("Who was erased after the backup was made is in it again: erase them again.")


def _restored_files(staging: Connection, archive: Path, files: FileStore, *, without: bool) -> Undo:
    """The attached files of a backup, in their new place. Raises StorageError."""
    if without or next(file_rows(staging), None) is None:
        return Undo(files)
    if not archive.exists():
        raise StorageError(
            f"{archive} is missing: it has the attached files of this backup. Bring it along, or add --without-files."
        )
    return restore_archive(staging, archive, files)


def _without(moved: Moved, files: FileStore) -> str:
    """A sentence about files that were missing, "" when none was."""
    return f" {len(moved.missing)} were not in {files.place}." if moved.missing else ""


def file_store(url: str, settings: Settings) -> FileStore:
    """The store of files at that address, or the server's own. Raises StorageError."""
    return open_file_store(url or settings.attachments_url, settings.attachments_folder)


def _restore_staging(staging: Connection, url: str, folder: Path) -> None:
    """Puts a staged server into its new place and shows what is there."""
    engine, path = parse_url(url, folder)
    checksums = table_checksums(staging)
    with _progress_bar(_rows(checksums)) as bar:
        restore_into(staging, url, folder, expected=checksums, step=bar.update)
    _show(checksums)
    place = "the database" if engine == "postgresql" else path
    click.echo(f"{_rows(checksums)} rows are in {place}; counts and checksums of all tables agree with what was read.")
    click.echo(SECRETS)


def _show(checksums: TableChecksums) -> None:
    for table, checksum in checksums.items():
        click.echo(f"{table:<14}{checksum.rows:>10}  {checksum.checksum}")


def _rows(checksums: TableChecksums) -> int:
    return sum(checksum.rows for checksum in checksums.values())


def _progress_bar(length: int) -> Any:
    return click.progressbar(length=length, label="Writing", file=sys.stderr, update_min_steps=1000)


def _own_url(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


@contextmanager
def server_settings() -> Iterator[Settings]:
    """The settings of this server. What goes wrong becomes a sentence and exit code 1."""
    runtime: Runtime = current_app.extensions["runtime"]
    try:
        yield runtime.settings
    except (StorageError, OSError) as error:
        raise click.ClickException(str(error)) from error


COMMANDS = (_copy, _backup, _restore)

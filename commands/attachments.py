"""flask copy-attachments: brings the files of attachments from one store of files to another, such as an S3 bucket."""

import click

from commands.backup import file_store, server_settings
from core.errors import StorageError
from database.transfer.files import copy_files
from database.transfer.staging_copy import staging_copy


@click.command("copy-attachments")
@click.option("--from", "source", default="", help="A folder or s3://bucket/prefix; the server's own when not given.")
@click.option("--to", "target", default="", help="A folder or s3://bucket/prefix; the server's own when not given.")
def _copy_attachments(source: str, target: str) -> None:
    """Copy the attached files of this server, which may be running, into another folder or bucket.

    What is there already is not copied again, so run it again after ATTACHMENTS_URL was changed.
    """
    with server_settings() as settings:
        one, other = file_store(source, settings), file_store(target, settings)
        if one.place == other.place:
            raise StorageError(f"Both are {one.place}. Name another place with --from or --to.")
        with staging_copy(settings.database_url.get_secret_value(), settings.data_dir) as staging:
            moved, _ = copy_files(staging, one, other)
        missing = f" {len(moved.missing)} were not in {one.place}." if moved.missing else ""
        click.echo(f"{moved.files} attached files are in {other.place}.{missing}")


COMMANDS = (_copy_attachments,)

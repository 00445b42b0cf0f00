"""Files in a folder of this host: a folder for each company, a file for each id, readable by the server alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from database.file_store.contract import PIECE, FileMissing, FileStoreFailed, checked
from database.json_store.journal import sync_folder

UNFINISHED = ".part"  # end of the name of a file that is being written


class Folder:
    """A folder. It is made with the first file."""

    is_local = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    def put(self, company_id: str, file_id: str, content: IO[bytes]) -> None:
        """Writes and syncs a file with another name, then renames it and syncs the folder."""
        path = self._file(company_id, file_id)
        unfinished = path.with_name(path.name + UNFINISHED)
        try:
            self._make(path.parent)
            try:
                with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                    while piece := content.read(PIECE):
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(unfinished, path)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
            sync_folder(path.parent)
        except OSError as error:
            raise FileStoreFailed(f"{self.place} cannot be written: {error.strerror or error}") from error

    @contextmanager
    def open(self, company_id: str, file_id: str) -> Iterator[Iterator[bytes]]:
        """Reads a file in pieces. A file that is removed meanwhile is read to its end all the same."""
        try:
            file = self._file(company_id, file_id).open("rb")
        except FileNotFoundError:
            raise FileMissing from None
        except OSError as error:
            raise FileStoreFailed(f"{self.place} cannot be read: {error.strerror or error}") from error
        with file:
            yield self._pieces(file)

    def exists(self, company_id: str, file_id: str) -> bool:
        """Whether the file is there, whole."""
        try:
            return self._file(company_id, file_id).is_file()
        except FileMissing:
            return False

    def delete(self, company_id: str, file_id: str) -> None:
        """Removes a file, and the one that is being written."""
        try:
            path = self._file(company_id, file_id)
            for one in (path, path.with_name(path.name + UNFINISHED)):
                one.unlink(missing_ok=True)
        except FileMissing:
            return
        except OSError as error:
            raise FileStoreFailed(f"{self.place} cannot be written: {error.strerror or error}") from error

    def _pieces(self, file: IO[bytes]) -> Iterator[bytes]:
        try:
            while piece := file.read(PIECE):
                yield piece
        except OSError as error:
            raise FileStoreFailed(f"{self.place} cannot be read: {error.strerror or error}") from error

    def _file(self, company_id: str, file_id: str) -> Path:
        return self._path / checked(company_id) / checked(file_id)

    def _make(self, folder: Path) -> None:
        """Makes the folder of a company, private to its owner, and its name durable."""
        for one in (self._path, folder):
            if not one.is_dir():
                one.mkdir(parents=True, exist_ok=True, mode=0o700)
                sync_folder(one.parent)

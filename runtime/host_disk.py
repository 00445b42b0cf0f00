"""Whether the disk of a host keeps its files after a restart or a deploy."""

from pathlib import Path

from config import HERE

CONTAINER_FILE_SYSTEMS = {"overlay", "aufs", "tmpfs", "ramfs"}


def is_on_persistent_disk(file: Path, *, host_is_ephemeral: bool, mounts: str | None = None) -> bool:
    """Whether a file is kept after restarts and deploys of the machine.

    Layers of a container and file systems in memory are not kept (`mounts` are the lines of /proc/self/mountinfo). A host
    without persistent storage (Render, Heroku) keeps only mounted disks: the disk of the code is replaced at each deploy.
    """
    folder = file.resolve().parent
    kind = _file_system(folder, _mounts() if mounts is None else mounts)
    if kind in CONTAINER_FILE_SYSTEMS:
        return False
    return not host_is_ephemeral or _mount_point(folder) != _mount_point(HERE)


def _mounts() -> str:
    table = Path("/proc/self/mountinfo")
    return table.read_text() if table.exists() else ""


def _file_system(folder: Path, mounts: str) -> str:
    """The type of file system of a folder. Of several mounts at one place the last one counts."""
    deepest = kind = ""
    for line in mounts.splitlines():
        place, mounted_type = line.split()[4].replace("\\040", " "), line.partition(" - ")[2].split()[0]
        if folder.is_relative_to(place) and len(place) >= len(deepest):
            deepest, kind = place, mounted_type
    return kind


def _mount_point(folder: Path) -> Path:
    """The mount point of the disk of a folder."""
    return next((place for place in (folder, *folder.parents) if place.is_mount()), folder)

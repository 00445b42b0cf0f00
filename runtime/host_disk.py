"""Whether the disk of a host keeps its files after a restart or a deploy."""

from pathlib import Path

from config import HERE

GONE_WITH_THE_CONTAINER = {"overlay", "aufs", "tmpfs", "ramfs"}


def on_a_disk_that_stays(file: Path, *, host_forgets: bool, mounts: str | None = None) -> bool:
    """Whether a file outlives the machine's restarts and deploys.

    A container's own layers and memory do not (`mounts` are the lines of /proc/self/mountinfo, where there is one), and a
    host that forgets (Render, Heroku) keeps only mounted disks: what is on one disk with the code is replaced with it.
    """
    folder = file.resolve().parent
    kind = _file_system(folder, _mounts() if mounts is None else mounts)
    if kind in GONE_WITH_THE_CONTAINER:
        return False
    return not host_forgets or _place_of(folder) != _place_of(HERE)


def _mounts() -> str:
    table = Path("/proc/self/mountinfo")
    return table.read_text() if table.exists() else ""


def _file_system(folder: Path, mounts: str) -> str:
    """The kind of file system a folder is on; of several mounted at one place the last is seen."""
    deepest = kind = ""
    for line in mounts.splitlines():
        place, made_of = line.split()[4].replace("\\040", " "), line.partition(" - ")[2].split()[0]
        if folder.is_relative_to(place) and len(place) >= len(deepest):
            deepest, kind = place, made_of
    return kind


def _place_of(folder: Path) -> Path:
    """Where the disk is mounted that a folder is on."""
    return next((place for place in (folder, *folder.parents) if place.is_mount()), folder)

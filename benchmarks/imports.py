"""Measures the import of large unusual files: 32 MiB each, in a separate process, as a body and as a part of a form.

`python benchmarks/imports.py` prints seconds, CPU seconds, and MiB of memory more than a process that imported a small file.
"""

import argparse
import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SIZE = 32 * 1024 * 1024 - 1024  # leaves room for the form
FORM = "multipart/form-data; boundary=x"
HEAD = b"user_id,description\n"


def _repeat(part: bytes, *, head: bytes = b"", end: bytes = b"") -> bytes:
    return head + part * ((SIZE - len(head) - len(end)) // len(part)) + end


def _tickets(text: str, *, as_json: bool = False) -> bytes:
    form = '{{"user_id":{},"description":"{}"}},' if as_json else '{},"{}"\n'
    size = len(form.format(1000, text).encode())
    lines = (form.format(number, text) for number in itertools.islice(itertools.count(), SIZE // (size + 4)))
    data = "".join(lines).encode()
    return b"[" + data[:-1] + b"]" if as_json else HEAD + data


FILES: dict[str, Callable[[], bytes]] = {
    "quotes.csv": lambda: _repeat(b'x","\n', head=HEAD),
    "header of quotes.csv": lambda: _repeat(b'x","\n'),
    "short lines.csv": lambda: _repeat(b"a\n", head=HEAD),
    "same row.csv": lambda: _repeat(b"1,a\n", head=HEAD),
    "blank lines.csv": lambda: _repeat(b"\n", head=HEAD),
    "empty rows.csv": lambda: _repeat(b",\n", head=HEAD),
    "quoted empty rows.csv": lambda: _repeat(b'"",""\n', head=HEAD),
    "one line.csv": lambda: _repeat(b"x"),
    "one wide line.csv": lambda: _repeat(b"x", head="😀".encode()),
    "one endless row.csv": lambda: _repeat(b"x", head=HEAD + b"1,"),
    "columns.csv": lambda: _repeat(b"a,"),
    "columns of rows.csv": lambda: _repeat(b"1,a" + b"," * 60_000 + b"\n", head=HEAD),
    "tickets.csv": lambda: _tickets("I was charged twice and want a refund. " * 10),
    "long tickets.csv": lambda: _tickets("I was charged twice and want a refund. 😀" * 480),
    "utf-16.csv": lambda: ("\ufeff" + "user_id,description\n" + "1,a\n" * (SIZE // 8 - 100)).encode("utf-16-le"),
    "windows.csv": lambda: _repeat(b"1,\xe9\n", head=HEAD),
    "damaged.csv": lambda: _repeat(b"1,\xff\n", head="user_id,description\n1,é\n".encode()),
    "zip.csv": lambda: _repeat(b"\0", head=b"PK\x03\x04"),
    "open lists.json": lambda: _repeat(b"["),
    "deep list.json": lambda: b"[" + b"[" * (SIZE // 2 - 1) + b"]" * (SIZE // 2 - 1) + b"]",
    "numbers.json": lambda: _repeat(b"1,", head=b"[", end=b"1]"),
    "empty texts.json": lambda: _repeat(b'"",', head=b"[[", end=b"1]]"),
    "empty objects.json": lambda: _repeat(b"{},", head=b"[", end=b"{}]"),
    "one text.json": lambda: _repeat(b"x", head=b'["', end=b'"]'),
    "members.json": lambda: _repeat(b'"a":1,', head=b"{", end=b'"tickets":[]}'),
    "one ticket.json": lambda: _repeat(b'"a":1,', head=b"[{", end=b'"b":1}]'),
    "unknown fields.json": lambda: _repeat(
        b"{" + b",".join(b'"%d":1' % n for n in range(99)) + b"},", head=b"[", end=b"1]"
    ),
    "spaces.json": lambda: _repeat(b" ", head=b"[", end=b"]"),
    "tickets.json": lambda: _tickets("I was charged twice and want a refund. " * 10, as_json=True),
}


def _measure(path: Path, *, as_form: bool) -> str:
    """Imports the file into an empty store in this process. Returns seconds, MiB and the response."""
    from app import create_app
    from config import Settings
    from notifier import MemoryMailer

    with tempfile.TemporaryDirectory() as folder:
        usual = {"data_dir": Path(folder), "database_url": "json:", "api_key": "admin-key", "rate_limit": "off"}
        app = create_app(Settings(_env_file=None, **usual), mailer=MemoryMailer())
        client, key = app.test_client(), {"X-API-Key": "admin-key"}
        client.post("/api/import", data=HEAD + b"1,Hello\n", content_type="text/csv", headers=key)
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak
        before = _peak()
        kind = "application/json" if path.suffix == ".json" else "text/csv"
        begin, computing = time.perf_counter(), time.process_time()
        with path.open("rb") as file:
            headers = {**key, "Content-Length": str(path.stat().st_size)}
            response = client.post(
                "/api/import", input_stream=file, content_type=FORM if as_form else kind, headers=headers
            )
        seconds, computing = time.perf_counter() - begin, time.process_time() - computing
        memory = (_peak() - before) / 1024
        app.extensions["runtime"].stop()
    return f"{seconds:6.1f} s {computing:6.1f} s {memory:6.1f} MiB  {response.status_code} {response.json['message'][:110]}"


def _peak() -> int:
    """The peak memory of this process, in KiB."""
    return int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0])


def _as_form(name: str, data: bytes) -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n--x--\r\n"


def main() -> None:
    """Measures each file in a separate process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="Parts of file names; without any, all files are measured.")
    parser.add_argument("--form", action="store_true", help="Send them as a part of a form.")
    parser.add_argument("--file", type=Path, help="Measure this file, in this process.")
    options = parser.parse_args()
    if options.file:
        sys.stdout.write(_measure(options.file, as_form=options.form))
        return
    for name, make in FILES.items():
        if options.names and not any(part in name for part in options.names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name.replace(" ", "-")
            path.write_bytes(_as_form(path.name, make()) if options.form else make())
            command = [sys.executable, __file__, "--file", str(path), *(["--form"] if options.form else [])]
            process = subprocess.run(command, capture_output=True, text=True, check=False)  # this file
            sys.stdout.write(f"{name:<24}{process.stdout or process.stderr[-300:]}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

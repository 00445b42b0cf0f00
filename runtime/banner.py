"""The lines a start prints: where the server listens, where the data is, who answers, where mail goes."""

import shlex
import sys

from runtime.bootstrap import Runtime
from runtime.first_start import key_file

MEANINGS = {
    "static": "by words and by likeness, embeddings from the table that comes with Foyer",
    "minilm": "by words and by likeness, embeddings from the installed encoder all-MiniLM-L6-v2",
    "none": "BY WORDS ALONE",
}


def opening_lines(runtime: Runtime, *, terminal: bool | None = None) -> list[str]:
    """What is said when the server has opened: where it listens, what survives, who answers, where mail goes, how to begin.

    The key itself is only said on a terminal, where nobody collects the lines.
    """
    settings, storage = runtime.settings, runtime.storage
    everywhere = settings.bind_host in ("0.0.0.0", "::")  # noqa: S104
    address = f"http://{'localhost' if everywhere else settings.bind_host}:{settings.port}"
    reach = "from every machine that reaches this one" if everywhere else "from this machine"
    stays = runtime.survives_restart
    persistence = "survives a restart" if stays else f"IS LOST AT THE NEXT RESTART\n         {runtime.storage_note}"
    ai = (
        f"{settings.openai_model}, canned replies when it cannot"
        if runtime.model
        else "canned replies (no OPENAI_API_KEY)"
    )
    mail = f"by {settings.smtp_host}" if settings.smtp_host else "one log line per notice (no SMTP_HOST)"
    lines = [
        f"Foyer is open at {address} {reach} (help at {address}/docs)",
        f"  data   {storage.place} ({storage.name}), {persistence}",
        f"  files  {runtime.files.place}{f', {note}' if (note := runtime.files_note) else ''}",
        f"  AI     {ai}",
        f"  triage {MEANINGS[runtime.embeddings.name]}"
        + (f" ({runtime.embeddings.note})" if runtime.embeddings.note else ""),
        f"  mail   {mail}",
    ]
    configured_key = settings.api_key.get_secret_value()
    file = key_file(settings)
    made_here = f"in {file}" if stays else f"in {file}, lost with the data; set API_KEY to keep one"
    other_key = f"one that the data came with; it is not in {file}, so bring that file along or set API_KEY"
    lines.append(f"  key    {'the one in API_KEY' if configured_key else made_here if file.exists() else other_key}")
    if (sys.stdout.isatty() if terminal is None else terminal) and (configured_key or file.exists()):
        key = configured_key or file.read_text().strip()
        ticket = '{"title": "Cannot login", "description": "My team is blocked.", "customer_email": "ada@example.com"}'
        lines += [
            f"  open   {address}/#key={key} (signed in; the page takes the key out of the address)",
            "  try    "
            + f"curl {address}/api/tickets -H {shlex.quote(f'X-API-Key: {key}')} "
            + f"-H 'Content-Type: application/json' -d {shlex.quote(ticket)}",
        ]
    return lines

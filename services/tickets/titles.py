"""The title of a ticket that comes as a message alone."""

MOST_TITLE = 80  # characters


def title_of(message: str) -> str:
    """The first sentence or line of a message, cut between words to MOST_TITLE. "" for a message without text."""
    lines = message.strip().splitlines() or [""]
    line = " ".join(lines[0].split())
    ends = [at + 1 for mark in ".!?" if 0 <= (at := line.find(f"{mark} ")) < MOST_TITLE]
    sentence = line[: min(ends)] if ends else line
    if len(sentence) <= MOST_TITLE:
        return sentence
    cut = sentence[: MOST_TITLE - 1]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:-") + "…"

"""A summary of a ticket without a model: sentences of its own texts, chosen by the words they hold. Nothing is invented."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_TEXT = 6_000  # characters of one message that are read
MOST_ENTRIES = 30  # newest messages that are read
MOST_SENTENCE = 300  # characters
MOST_LISTED = 5  # sentences of a list
MOST_CHOSEN = 2  # sentences of the first message in the summary
ROLES = {"customer": "the customer", "agent": "support", "ai": "the AI", "system": "the system"}

_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")
_WORD = re.compile(r"[^\W\d_]{3,}")
_NOT_WORTH_IT = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|day|evening|afternoon)|hallo|guten tag|liebe[rs]?|bonjour|hola|thanks?|thank you"
    r"|many thanks|(?:best|kind|warm) (?:regards|wishes)|regards|sincerely|cheers|danke|viele gr(?:ü|ue)(?:ß|ss)e|mit freundlichen"
    r"|merci|cordialement|gracias|saludos)\b[^.?]{0,40}[.!,]?",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"\?\s*$|\b(?:please|i(?:'d| would) like|i (?:want|need|expect)|we (?:want|need|expect)|can you|could you|would you"
    r"|how (?:do|can) (?:i|we)"
    r"|bitte|ich (?:möchte|brauche|will|hätte gern)|wir (?:möchten|brauchen)|können sie|wie kann ich"
    r"|s'il vous plaît|je (?:voudrais|veux|souhaite)|pouvez-vous|comment puis-je"
    r"|por favor|quiero|quisiera|necesito|pueden|cómo puedo)\b",
    re.IGNORECASE,
)
_TRIED = re.compile(
    r"\b(?:tried|already|re-?started|re-?booted|re-?installed|re-?set|cleared|updated|checked|replaced|signed out|logged out"
    r"|versucht|probiert|bereits|schon|neu gestartet|neu installiert|zurückgesetzt|geprüft"
    r"|essayé|déjà|redémarré|réinstallé|vérifié|intentado|intenté|probé|ya he|reinici\w+|reinstal\w+)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[?？]\s*$")


@dataclass(frozen=True, slots=True)
class Summary:
    """What an agent must know of a ticket. `mood` is a sentiment of core/models.py."""

    summary: str
    customer_wants: str
    mood: str
    tried: list[str] = field(default_factory=list)
    open_questions: list[str] = field(default_factory=list)


def summarise(ticket: Mapping[str, Any], thread: Sequence[Mapping[str, Any]], *, mood: str) -> Summary:
    """The summary of a ticket by its own sentences. `thread` is oldest first and may hold internal notes. Never raises."""
    entries = list(thread)[-MOST_ENTRIES:]
    first = {"author_role": "customer", "body": ticket["description"]}
    of_customer = [entry for entry in (first, *entries) if entry["author_role"] == "customer"]
    return Summary(
        _whole(ticket, entries),
        _wanted(ticket, of_customer),
        mood,
        _listed(entry_sentences for entry in (first, *entries) for entry_sentences in _tried(entry)),
        _listed(_open_questions(first, entries)),
    )


def sentences(text: str) -> list[str]:
    """The sentences of a message that say something, without greetings and quoted lines."""
    lines = (line for line in text[:MOST_TEXT].splitlines() if not line.lstrip().startswith(">"))
    parts = (" ".join(part.split()) for part in _END.split("\n".join(lines)))
    return [_shortened(part) for part in parts if _WORD.search(part) and not _NOT_WORTH_IT.fullmatch(part)]


def is_question(sentence: str) -> bool:
    """Whether a sentence asks something."""
    return bool(_QUESTION.search(sentence))


def best_sentences(text: str, title: str, most: int) -> list[str]:
    """The sentences that hold most of a text's frequent words and of its title, in their order."""
    all_sentences = sentences(text)
    counts = Counter(_words(text[:MOST_TEXT]))
    in_title = {*_words(title)}

    def weight(place: int) -> float:
        words = {*_words(all_sentences[place])}
        shared = sum(counts[word] for word in words) + 2 * len(words & in_title)
        return float(shared / (5 + len(words)) + (0.5 if place == 0 else 0))

    places = sorted(range(len(all_sentences)), key=lambda place: (-weight(place), place))[:most]
    return [all_sentences[place] for place in sorted(places)]


def _whole(ticket: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> str:
    who = ticket.get("customer_name") or "The customer"
    parts = [f"{who} wrote: {_ended(_shortened(str(ticket['title'])))}"]
    parts += map(_ended, best_sentences(str(ticket["description"]), str(ticket["title"]), MOST_CHOSEN))
    public = [entry for entry in entries if not entry.get("internal") and sentences(str(entry["body"]))]
    if public:
        last = public[-1]
        author = ROLES.get(str(last["author_role"]), "somebody")
        parts.append(f"Last, {author} wrote: {_ended(sentences(str(last['body']))[0])}")
    if ticket.get("resolution"):
        parts.append(f"It was resolved: {_ended(_shortened(str(ticket['resolution'])))}")
    return " ".join(parts)


def _wanted(ticket: Mapping[str, Any], of_customer: Sequence[Mapping[str, Any]]) -> str:
    """The newest sentence in which the customer asks for something, else the title."""
    for entry in reversed(of_customer):
        for sentence in sentences(str(entry["body"])):
            if _WANTS.search(sentence):
                return sentence
    return _shortened(str(ticket["title"]))


def _tried(entry: Mapping[str, Any]) -> Iterator[str]:
    """Sentences of people that tell of a step that was taken."""
    if entry["author_role"] in ("customer", "agent"):
        yield from (sentence for sentence in sentences(str(entry["body"])) if _TRIED.search(sentence))


def _open_questions(first: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Questions that the other side has not written after. The AI's own messages answer no customer."""
    people = [first, *(entry for entry in entries if not entry.get("internal") and entry["author_role"] in ROLES)]
    customer = max(place for place, entry in enumerate(people) if entry["author_role"] == "customer")
    agent = max((place for place, entry in enumerate(people) if entry["author_role"] == "agent"), default=-1)
    for place, entry in enumerate(people):
        other_side = agent if entry["author_role"] == "customer" else customer
        if entry["author_role"] in ("customer", "agent") and place > other_side:
            yield from (sentence for sentence in sentences(str(entry["body"])) if is_question(sentence))


def _listed(texts: Iterator[str]) -> list[str]:
    """The newest of them, each once, oldest first."""
    return list(dict.fromkeys(texts))[-MOST_LISTED:]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text) if len(word) > 3]


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_SENTENCE else text[: MOST_SENTENCE - 1] + "…"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…", "。", "！", "？")) else f"{sentence}."

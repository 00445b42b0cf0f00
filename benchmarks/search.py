"""The cost of searches with few and with many tickets, ordinary ones and the slowest that are known.

`python benchmarks/search.py` measures the JSON file, `--database-url postgresql://…` an empty PostgreSQL database. For each
search it prints the milliseconds of a page and its total (the fastest of several runs) and the ratio; then the slowest search.
One company has all tickets but a hundred. The searches of the other show whether a large company slows down a small one.
"""

import argparse
import random
import string
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.models import Actor  # noqa: E402
from database.tables import companies, customers, tickets  # noqa: E402
from services.tickets import queries  # noqa: E402
from storage import Storage, open_storage  # noqa: E402

RARE = "zebrafish"
COMPANY, NEIGHBOUR = "benchmark", "neighbour"
NEIGHBOUR_TICKETS = 100
RUNS = 10
LETTERS = string.ascii_lowercase
LONG = [f"international{letter}" for letter in LETTERS[:8]]
ORDINARY: dict[str, dict[str, Any]] = {
    "rare word": {"q": RARE},
    "its beginning": {"q": RARE[:5]},
    "rare and common word": {"q": f"question {RARE}"},
    "common word": {"q": "question"},
}
SLOW: dict[str, dict[str, Any]] = {
    "26 letters": {"q": " ".join(LETTERS)},
    "8 letters": {"q": " ".join(LETTERS[:8])},
    "letters never together": {"q": "x1 x2"},
    "beginnings never together": {"q": "aaaaa bbbbb"},
    "two letters, by age": {"q": "a b", "sort": "created_at"},
    "8 long beginnings": {"q": " ".join(LONG)},
    "8 long beginnings of one letter less": {"q": " ".join(word[:-1] for word in LONG)},
    "common word, no match in filter": {"q": "question", "status": ["closed"]},
    "common word, deep page": {"q": "question", "offset": 1900},
    "letter, by urgency": {"q": "a", "sort": "urgency"},
    "8 English forms": {"q": "running cancelling refunding ordering shipping billing paying charging"},
    "a sign": {"q": "?"},
    "signs": {"q": "? % ! ;"},
}


def texts(count: int, seed: int) -> list[str]:
    """Texts of about 500 letters with odd words: letters with a number, and thousands of words with one beginning."""
    dice = random.Random(seed)
    parts = "ba ro ti ke lu na so mi der con pre ing ed tion er ly men tal".split()
    ordinary = ["".join(dice.choices(parts, k=dice.randint(2, 5))) for _ in range(20_000)]
    endings = ["".join(dice.choices(LETTERS, k=4)) for _ in range(5000)]
    result = []
    for number in range(count):
        words = dice.choices(ordinary, k=20)
        words += [f"{letter}{dice.randrange(999)}" for letter in LETTERS if letter != LETTERS[number % 26]]
        words += [f"{'aaaaa' if number % 2 else 'bbbbb'}{ending}" for ending in dice.choices(endings, k=8)]
        words += [f"x{1 + number % 2}"]
        words += [
            f"{word}{ending}" for word, ending in zip(dice.sample(LONG, 4), dice.choices(endings, k=4), strict=True)
        ]
        result.append(" ".join(words))
    return result


def add_tickets(storage: Storage, company: str, start: int, count: int) -> None:
    """Adds tickets with the numbers `start` + 1 to `count`; numbers 10 and 20 have the rare word."""
    for first in range(start, count, 1000):
        descriptions = texts(min(1000, count - first), seed=first)
        with storage.unit_of_work(None, write=True) as uow:
            if uow.get(companies, company) is None:
                row = {"id": company, "name": company, "name_key": company, "created_at": uow.now}
                uow.insert(companies, row)
                person = {"id": company, "company_id": company, "email": "ada@example.com", "created_at": uow.now}
                uow.insert(customers, person)
            common = {"company_id": company, "customer_row": company, "customer_email": "ada@example.com"}
            times = {"created_at": uow.now, "updated_at": uow.now}
            rows = []
            for number, description in enumerate(descriptions, start=first + 1):
                rare = f"{RARE} " if number in (10, 20) else ""
                content = {"title": f"Question {number}", "description": rare + description, "number": number}
                rows.append({**content, **common, **times})
            uow.insert_many(tickets, rows)


def milliseconds(storage: Storage, company: str, filters: dict[str, Any]) -> float:
    """The time of a page and its total, without the read cache."""
    best = float("inf")
    for run in range(RUNS):
        uncached = {"created_after": f"2000-01-01T00:00:00.{run:03}Z"}
        begin = time.perf_counter()
        with storage.unit_of_work(Actor(company, "agent", "benchmark")) as uow:
            queries.find(uow, {"limit": 50, "offset": 0, **filters, **uncached})
        best = min(best, time.perf_counter() - begin)
    return best * 1000


def measure(storage: Storage) -> dict[str, float]:
    """Milliseconds of every search, those of the neighbour too."""
    searches = {**ORDINARY, **SLOW}
    result = {name: milliseconds(storage, COMPANY, filters) for name, filters in searches.items()}
    neighbours = {f"neighbour: {name}": filters for name, filters in searches.items()}
    return result | {name: milliseconds(storage, NEIGHBOUR, filters) for name, filters in neighbours.items()}


def main() -> None:
    """Measures the same searches with few and with many tickets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", default="json:")
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(options.database_url, Path(folder))
        add_tickets(storage, NEIGHBOUR, 0, NEIGHBOUR_TICKETS)
        add_tickets(storage, COMPANY, 0, options.few)
        few = measure(storage)
        add_tickets(storage, COMPANY, options.few, options.many)
        many = measure(storage)
        storage.close()
    for name, time_with_many in many.items():
        ratio = time_with_many / few[name]
        print(f"{name:<48} {few[name]:8.2f} ms {time_with_many:8.2f} ms  x {ratio:6.1f}")
    worst = max(many, key=lambda name: many[name])
    print(f"slowest with {options.many} tickets: {worst}, {many[worst]:.1f} ms")


if __name__ == "__main__":
    main()

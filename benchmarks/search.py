"""What searching costs as a desk grows: a rare word, a common one and a beginning among few and many tickets.

`python benchmarks/search.py` measures the JSON file, `--database-url postgresql://…` a database in which there is nothing yet.
Each search is counted by its fastest run; the one number to look at is how many times as long the large desk takes.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.models import Actor  # noqa: E402
from database.tables import companies, customers, tickets  # noqa: E402
from services.tickets import queries  # noqa: E402
from storage import Storage, UnitOfWork, open_storage  # noqa: E402

RARE, LETTERS = "zebrafish", 500
SEARCHES = {
    "rare word": RARE,
    "its beginning": RARE[:5],
    "rare and common": f"question {RARE}",
    "common word": "question",
}
COMPANY = "benchmark"
RUNS = 15


def words() -> list[str]:
    """Enough words for tickets that are not all alike."""
    some = random.Random(1)
    parts = "ba ro ti ke lu na so mi der con pre ing ed tion er ly men tal".split()
    return ["".join(some.choices(parts, k=some.randint(2, 5))) for _ in range(20_000)]


def grow(storage: Storage, start: int, count: int) -> None:
    """Adds tickets up to `count`, of which two bear the rare word."""
    known, some = words(), random.Random(start)
    for first in range(start, count, 1000):
        with storage.unit_of_work(None, write=True) as uow:
            person = _person(uow)
            rows = []
            for number in range(first + 1, min(first + 1000, count) + 1):
                text = " ".join(some.choices(known, k=90))[: LETTERS - len(RARE) - 1]
                said = f"{RARE} {text}" if number in (10, 20) else text
                times = {"created_at": uow.now, "updated_at": uow.now}
                given = {"title": f"Question {number}", "description": said, "number": number, "customer_row": person}
                rows.append({**given, "company_id": COMPANY, "customer_email": "ada@example.com", **times})
            uow.insert_many(tickets, rows)


def _person(uow: UnitOfWork) -> str:
    if uow.get(companies, COMPANY) is None:
        uow.insert(companies, {"id": COMPANY, "name": COMPANY, "name_key": COMPANY, "created_at": uow.now})
        uow.insert(customers, {"id": "ada", "company_id": COMPANY, "email": "ada@example.com", "created_at": uow.now})
    return "ada"


def milliseconds(storage: Storage, said: str) -> float:
    """How long a page and its total take, without what a desk remembers of earlier questions."""
    best = float("inf")
    for run in range(RUNS):
        wanted = {"q": said, "limit": 50, "offset": 0, "created_after": f"2000-01-01T00:00:00.{run:03}Z"}
        begin = time.perf_counter()
        with storage.unit_of_work(Actor(COMPANY, "agent", "benchmark")) as uow:
            queries.find(uow, wanted)
        best = min(best, time.perf_counter() - begin)
    return best * 1000


def main() -> None:
    """Measures the same searches before and after the desk has grown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", default="json:")
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(given.database_url, Path(folder))
        taken = []
        for start, count in ((0, given.few), (given.few, given.many)):
            grow(storage, start, count)
            taken.append({name: milliseconds(storage, said) for name, said in SEARCHES.items()})
        for name in SEARCHES:
            few, many = (of[name] for of in taken)
            sys.stdout.write(f"{name:<16} {few:8.2f} ms {many:8.2f} ms  {many / few:6.1f} times\n")
        storage.close()


if __name__ == "__main__":
    main()

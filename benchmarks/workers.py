"""Creates a second on PostgreSQL with two workers, as a multiple of those with one: `python benchmarks/workers.py`.

Needs wrk and PostgreSQL's programs. All writers are of one company, then of eight. The server, wrk and PostgreSQL share the cores.
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.run import SETTINGS, per_second, server  # noqa: E402
from database.tables import api_keys, companies  # noqa: E402
from services.accounts.api_keys import hash_key  # noqa: E402
from storage import open_storage  # noqa: E402
from tests.fakes.postgres_server import databases  # noqa: E402

COMPANIES = (1, 8)
WORKERS = (1, 2)
PORT = 21501
CREATE = """
local n = 0
request = function()
  n = n + 1
  wrk.headers["X-API-Key"] = "key-" .. (n %% %d)
  local body = '{"title": "Question", "description": "How do I change my plan?", "customer_email": "w' .. n .. '@example.com"}'
  return wrk.format("POST", "/api/tickets", nil, body)
end
"""


def add_companies(url: str, count: int) -> None:
    """Makes companies, each with a key."""
    storage = open_storage(url, Path())
    with storage.unit_of_work(None, write=True) as uow:
        for number in range(count):
            name = f"company-{number}"
            uow.insert(companies, {"id": name, "name": name, "name_key": name, "created_at": uow.now})
            key = {"company_id": name, "name": name, "key_hash": hash_key(f"key-{number}"), "role": "admin"}
            uow.insert(api_keys, {**key, "created_at": uow.now})
    storage.close()


def main() -> None:
    """Measures both numbers of workers in each round, so that a slow minute affects both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with databases() as postgres, tempfile.TemporaryDirectory() as folder:
        for count in COMPANIES:
            rates: dict[int, list[float]] = {workers: [] for workers in WORKERS}
            for _ in range(options.rounds):
                for workers in WORKERS:
                    with postgres.fresh() as url:
                        add_companies(url, count)
                        env = {**SETTINGS, "DATABASE_URL": url, "SECRET_KEY": "s" * 40, "DATA_DIR": folder}
                        with server("app:app", PORT, workers=workers, **env) as address:
                            rates[workers].append(per_second(address, options.seconds, CREATE % count))
            one, two = (max(rates[workers]) for workers in WORKERS)
            print(f"companies: {count}  one worker {one:6.0f} /s  two workers {two:6.0f} /s  x {two / one:.2f}")


if __name__ == "__main__":
    main()

"""Measures the cold start of the function on AWS Lambda, beside a bare Flask app behind the same adapter.

    DATABASE_URL=postgresql://… python benchmarks/cold_start.py

Each run is a new process that loads the handler and answers two requests; the fastest of each counts. Seconds are those of the
processor: a function of 1,769 MB has one whole core. The first run migrates an empty database, and does not count.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVENT = (ROOT / "tests" / "fixtures" / "aws" / "http_api.json").read_text()
KEY = "fk_the-key-of-the-cold-start"
TIMED = """
import json, sys, time
event, began = json.loads(sys.argv[1]), time.process_time()
def lap():
    return time.process_time() - began
{load}
loaded = lap()
answer = handler(event, None)
first = lap()
handler(event, None)
assert answer["statusCode"] == 200, answer
print(json.dumps([loaded, first - loaded, lap() - first]))
"""
BARE = "from apig_wsgi import make_lambda_handler; from benchmarks.bare import app; handler = make_lambda_handler(app)"
FOYER = "from deploy.aws.entry import handler"


def seconds(load: str, path: str, url: str) -> tuple[float, ...]:
    """The seconds of the processor until the handler is loaded, of the first answer, and of the second."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {"DATABASE_URL": url, "API_KEY": KEY, "SECRET_KEY": "x" * 32, "ATTACHMENTS_URL": "s3://none"}
    host = {"AWS_LAMBDA_FUNCTION_NAME": "foyer", "DATA_DIR": "/tmp", "EMBEDDINGS": "static", "LOG_LEVEL": "ERROR"}
    event = json.loads(EVENT)
    event["rawPath"] = path
    event["headers"]["x-api-key"] = KEY
    command = [sys.executable, "-c", TIMED.format(load=load), json.dumps(event)]
    run = subprocess.run(command, cwd=ROOT, env={**inherited, **settings, **host}, stdout=subprocess.PIPE, check=True)
    return tuple(json.loads(run.stdout))


def main() -> None:
    """Measures both in turn, so that a slow minute affects both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs, url = parser.parse_args().runs, os.environ["DATABASE_URL"]
    seconds(FOYER, "/api/tickets", url)
    bare, foyer = [], []
    for _ in range(runs):
        bare.append(seconds(BARE, "/", url))
        foyer.append(seconds(FOYER, "/api/tickets", url))
    print(f"{'':24}{'bare Flask':>12}{'Foyer':>12}")
    for name, place in (("load the handler", 0), ("first answer", 1), ("second answer", 2)):
        print(f"{name:24}{min(one[place] for one in bare):10.3f} s{min(one[place] for one in foyer):10.3f} s")
    whole = [min(one[0] + one[1] for one in both) for both in (bare, foyer)]
    print(f"{'cold start':24}{whole[0]:10.3f} s{whole[1]:10.3f} s  {whole[1] / whole[0]:.1f} x")


if __name__ == "__main__":
    main()

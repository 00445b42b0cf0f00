"""The yardstick: a Flask view that returns a constant."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def constant() -> dict[str, bool]:
    """The least that Flask can answer."""
    return {"success": True}

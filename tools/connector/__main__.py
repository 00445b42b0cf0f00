"""Development only: `python -m tools.connector` writes the connector's files, or checks them with --check."""

from tools.connector.commands import connector

if __name__ == "__main__":
    connector()

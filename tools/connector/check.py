"""Development only: `python -m tools.connector.check` reads the connector's files as the linter does."""

from tools.connector.commands import lint_command

if __name__ == "__main__":
    lint_command()

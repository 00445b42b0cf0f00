"""Development only: writes and checks the connector's files."""

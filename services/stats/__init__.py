"""The figures of the dashboard and of AI quality."""

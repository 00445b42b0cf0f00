"""The HTTP API: one file per resource, shared parts in http/, descriptions in specs/."""

"""The APIs of other help desks, for their clients: one file each, loaded only when DIALECTS names it (docs/dialects.md)."""

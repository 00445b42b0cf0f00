"""Tells errors of a statement or its values from failures of the store: trying again helps only after the latter."""

# Classes of SQLSTATE whose errors come back at every try. All other classes are failures of the store, also those that
# look like ours: 0A holds plans that a change of a table made stale, 25 a server that takes no writes just now, 42 tables
# that another release has changed.
FAULTS = {
    "07": "dynamic statement",
    "21": "cardinality",
    "22": "data",  # malformed or too long values, characters that cannot be stored
    "2F": "function",
    "39": "function called from outside",
    "44": "check of a view",
    "54": "too long or too complex a statement",
    "P0": "procedure",
}
# Errors without SQLSTATE: of SQLite, and of a driver before anything reached a server. By the names that PEP 249 gives them,
# so that no driver is loaded here.
_MALFORMED = {"DataError", "NotSupportedError"}


def is_fault(error: Exception) -> bool:
    """Whether the statement or its values are wrong, so that it would fail again."""
    cause = getattr(error, "orig", None) or error
    if state := getattr(cause, "sqlstate", None):
        return state[:2] in FAULTS
    return any(kind.__name__ in _MALFORMED for kind in type(cause).__mro__)

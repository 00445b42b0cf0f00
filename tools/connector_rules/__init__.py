"""The platform's rules for a connector, one short function each, grouped by what they look at."""

from tools.connector_rules import (
    document,
    dynamic,
    identity,
    labels,
    parameters,
    paths,
    properties,
    references,
    required,
    responses,
    schemas,
    security,
    triggers,
)
from tools.connector_rules.base import RULES, Connector, Finding

__all__ = ["RULES", "Connector", "Finding"]
_GROUPS = (
    document,
    dynamic,
    identity,
    labels,
    parameters,
    paths,
    properties,
    references,
    required,
    responses,
    schemas,
    security,
    triggers,
)

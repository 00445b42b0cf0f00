"""Variables in texts that people prepare, like {{customer_name}}: they are substituted once and never evaluated."""

import re
from collections.abc import Collection, Mapping

_VARIABLE = re.compile(r"\{\{\s{0,9}([^{}]{0,60}?)\s{0,9}\}\}")


def names(text: str) -> list[str]:
    """The names of the variables in a text, in their order."""
    return _VARIABLE.findall(text)


def fault(text: str, accepted: Collection[str], *, field: str) -> str:
    """What is wrong with the variables of the text of a field, "" when nothing is."""
    unknown = [name for name in names(text) if name not in accepted]
    if not unknown:
        return ""
    return f"{field} holds {{{{{unknown[0]}}}}}, which is unknown. Accepted: {', '.join(accepted)}."


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the values of its variables; one without a value becomes empty. Values are not looked at again."""
    return _VARIABLE.sub(lambda match: values.get(match[1], ""), text)

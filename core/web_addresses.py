"""Web addresses in environment variables."""

import re
from urllib.parse import SplitResult, urlsplit


def split_web_address(text: str) -> SplitResult:
    """The parts of an address. Raises ValueError unless it has http:// or https:// and a host."""
    try:
        parts = urlsplit(text)
        is_web = parts.scheme.lower() in ("http", "https") and parts.hostname
        if is_web and parts.port != 0 and not re.search(r"\s", text):
            return parts
    except ValueError:
        pass
    raise ValueError("must begin with http:// or https:// and name a host")

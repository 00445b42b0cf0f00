"""Checks the values of settings: one function for each form. config.py says which setting has which form.

Each takes the trimmed value and returns it in its one form. It raises ValueError with a sentence for whoever set the value.
"""

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import SecretStr

from core.mailboxes import parse_mailbox, parse_mailboxes
from core.web_addresses import split_web_address

POSTGRESQL = ("postgresql://", "postgres://")
DIALECTS = ("supportflow", "urgencyiq", "punai")  # each is a module of api/dialects/
SHORTEST_SECRET = 20  # characters of a secret that a service sends
_DRIVER = re.compile(r"^(postgres(?:ql)?)\+\w+://")  # SQLAlchemy's way to name a driver
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[\w-]{1,256}")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,62}(?:/[\w!.*'()-]+)*/?")


def lower(value: object) -> object:
    """A text in small letters; anything else as it is."""
    return value.lower() if isinstance(value, str) else value


def upper(value: object) -> object:
    """A text in capitals; anything else as it is."""
    return value.upper() if isinstance(value, str) else value


def mail_security(value: object) -> object:
    """IMAP_SECURITY in small letters; `tls`, as SMTP_SECURITY calls it, is `ssl`."""
    return "ssl" if lower(value) == "tls" else lower(value)


def host_name(port_setting: str) -> Callable[[str], str]:
    """A check for a host name or address alone; its port is in another setting."""

    def check(value: str) -> str:
        if not re.fullmatch(r"[\w.:%\[\]-]*", value) or re.fullmatch(r"[^:]*:[^:]*|\[.*\]:.*", value):
            raise ValueError(f"must be a host name or address alone; its port goes into {port_setting}")
        return value

    return check


def database(value: SecretStr) -> SecretStr:
    """The address of a store, without the name of a driver."""
    url = _DRIVER.sub(r"\1://", value.get_secret_value())
    if not url.startswith(("json:", "sqlite:///", *POSTGRESQL)):
        raise ValueError("must begin with json:, sqlite:/// or postgresql://")
    return SecretStr(url)


def rate(value: str) -> str:
    """A rate limit as the package limits reads it, or `off`."""
    text = value.strip().lower()
    try:
        if text == "off" or all(limit.amount for limit in parse_many(text)):
            return text
    except ValueError:
        pass
    raise ValueError("must be like `1200 per minute`, several with commas between, or `off`")


def counter_address(value: SecretStr) -> SecretStr:
    """Where requests are counted."""
    if not value.get_secret_value().startswith(("memory://", "redis://", "rediss://", "redis+unix://")):
        raise ValueError("must begin with memory://, redis://, rediss:// or redis+unix://")
    return value


def web_address(value: str) -> str:
    """An http or https address without fragment, slash at its end, or the path /chat/completions, which clients add."""
    if not value:
        return ""
    parts = split_web_address(value)
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return parts._replace(path=path, fragment="").geturl()


def page_address(value: str) -> str:
    """A web address that paths are put behind."""
    if value and (split_web_address(value).query or split_web_address(value).fragment):
        raise ValueError("must be an address without ? and #, like https://help.example.com")
    return web_address(value)


def origins(value: str) -> str:
    """Origins with commas between, or `*`."""
    names = [name for part in re.split(r"[,;\s]+", value) if (name := part.rstrip("/"))]
    for name in names:
        if name != "*" and ("://" not in name or urlsplit(name).path):
            raise ValueError("must be * or origins like https://app.example.com, with commas between")
    return ",".join(names)


def host_list(value: str) -> str:
    """Host names or addresses with commas between."""
    hosts = [host.strip("[]").lower() for host in re.split(r"[,;\s]+", value) if host]
    if any(re.search(r"[/@*\[\]]|^[^:]*:[^:]*$", host) for host in hosts):
        raise ValueError("must be host names or addresses alone, with commas between")
    return ",".join(hosts)


def dialects(value: str) -> str:
    """Names of dialects with commas between, each once."""
    names = [name for name in re.split(r"[,;\s]+", value.lower()) if name]
    if not set(names) <= set(DIALECTS):
        raise ValueError(f"takes {', '.join(DIALECTS)}, with commas between")
    return ",".join(dict.fromkeys(names))


def readable_file(value: str) -> str:
    """The path of a file that is there."""
    if value and not Path(value).is_file():
        raise ValueError("must be the path of a file that this server can read")
    return value


def issuer(value: str) -> str:
    """An OpenID Connect issuer, kept to the letter: tokens name it exactly so."""
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value


def mailbox(value: str) -> str:
    """One mail address, with or without a name."""
    return str(parse_mailbox(value))


def mail_addresses(value: str) -> str:
    """Mail addresses with commas between, without names."""
    return ", ".join(box.address for box in parse_mailboxes(value))


def service_secret(value: SecretStr) -> SecretStr:
    """A secret that nobody can guess, or none."""
    if 0 < len(value.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"must have {SHORTEST_SECRET} characters or more")
    return value


def sns_topic(value: str) -> str:
    """The ARN of an Amazon SNS topic."""
    if value and not _TOPIC.fullmatch(value):
        raise ValueError("must be like arn:aws:sns:eu-west-1:123456789012:support")
    return _with_boto3(value)


def s3_folder(value: str) -> str:
    """A folder of an S3 bucket."""
    if value and not _BUCKET.fullmatch(value):
        raise ValueError("must be like s3://bucket or s3://bucket/prefix")
    return _with_boto3(value)


def _with_boto3(value: str) -> str:
    if value and find_spec("boto3") is None:
        raise ValueError("needs boto3: pip install -r requirements-aws.txt")
    return value

"""The only reader of the environment: every setting, typed, with its default and a sentence.

A value that cannot be used stops the start with the variable's name; nothing else reads os.environ.
"""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.mailboxes import Mailbox, parse_mailbox, parse_mailboxes
from core.normal_form import trimmed
from core.web_addresses import split_web_address

# For numpy, which is imported after this file: each matrix is small, and waiting threads of BLAS cost more than they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

HERE = Path(__file__).resolve().parent
POSTGRESQL = ("postgresql://", "postgres://")
SHORTEST_SECRET = 20  # characters of a secret that a service sends
SHORTEST_API_KEY = 20  # characters; shorter ones can be guessed, so production refuses them
_DRIVER = re.compile(r"^(postgres(?:ql)?)\+\w+://")  # SQLAlchemy's way to name a driver
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[\w-]{1,256}")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,62}(?:/[\w!.*'()-]+)*/?")
_QUOTED = re.compile(r""" "[^"]*" | '[^']*' """, re.VERBOSE)  # as a file for Docker keeps them


class ConfigError(Exception):
    """The environment holds a value that cannot be used; the text names the variable."""


class Settings(BaseSettings):
    """What the environment or a `.env` file beside app.py says; each field is the variable of that name in capitals."""

    model_config = SettingsConfigDict(env_file=HERE / ".env", env_ignore_empty=True, extra="ignore", frozen=True)

    app_env: Literal["development", "production"] = Field(
        "development", description="`production` demands SECRET_KEY; PostgreSQL is production too"
    )
    host: str = Field("", description="address to listen on; 127.0.0.1, or 0.0.0.0 when the host sets PORT")
    port: int = Field(5000, ge=0, le=65535, description="port to listen on")
    threads: int = Field(16, ge=1, le=256, description="requests served at once by one process")
    web_concurrency: int = Field(1, ge=1, le=64, description="processes on PostgreSQL; a file is served by one")
    data_dir: Path = Field(
        HERE / "data", description="folder of the data file and its journal, lock, private query file and made keys"
    )
    database_url: SecretStr = Field(
        SecretStr("json:"), description="`json:` (a JSON file in DATA_DIR), `sqlite:///path.db` or `postgresql://…`"
    )
    attachments_url: str = Field(
        "",
        description="where attached files are kept: `s3://bucket/prefix` (needs `requirements-aws.txt`); without it the folder "
        "`attachments` in DATA_DIR",
    )
    attachments_quota_megabytes: int = Field(
        1024, ge=0, le=10**9, description="room for attached files of each company, in MiB; 0 for no limit"
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        description="admin key of the company `default`, made at first start if unset; 20 characters or more in production",
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="32 bytes or more; required in production, made in DATA_DIR elsewhere"
    )
    open_registration: bool | None = Field(
        None, description="whether anybody may register a company; on, but off in production"
    )
    rate_limit: str = Field("1200 per minute", description="most requests of one key or person; `off` for none")
    rate_limit_storage_uri: SecretStr = Field(
        SecretStr("memory://"), description="where requests are counted; `redis://…` for several instances together"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=9, description="how many proxies in front are believed about the caller's address; 1 on Render"
    )
    oidc_issuer: str = Field(
        "",
        description="OpenID Connect issuer; its people sign in by a button (OIDC_CLIENT_ID) or bring bearer tokens (OIDC_AUDIENCE)",
    )
    oidc_audience: str = Field(
        "", description="audience those tokens must name; with OIDC_ISSUER it or OIDC_CLIENT_ID is required"
    )
    oidc_client_id: str = Field(
        "", description="id of Foyer at the issuer: a button signs people in there; needs OIDC_ISSUER and PUBLIC_URL"
    )
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="secret of that id; without it Foyer is a public client"
    )
    oidc_label: str = Field("Sign in with your organisation", max_length=80, description="words on that button")
    oidc_company: str = Field("default", description="name of the company its people belong to")
    oidc_company_claim: str = Field(
        "", description="claim that names the company instead, like `company` or `org.name`"
    )
    oidc_email_claim: str = Field(
        "",
        description="claim whose address is believed as it is (Entra ID: `preferred_username`); else a verified `email`",
    )
    oidc_role_claim: str = Field("roles", description="claim that holds a person's roles, like `realm_access.roles`")
    oidc_admin_role: str = Field("admin", description="value there that makes an admin")
    oidc_agent_role: str = Field("agent", description="value there that makes an agent; everybody else is a customer")
    cors_origins: str = Field("*", description="origins that browsers may call /api from, comma separated")
    public_url: str = Field("", description="address of this server as customers see it; put into notices")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least severe log line that is written"
    )
    openai_api_key: SecretStr = Field(
        SecretStr(""), description="key of the language model; without it replies are canned"
    )
    openai_base_url: str = Field("", description="any OpenAI-compatible endpoint (Azure, Gemini, Ollama, vLLM)")
    openai_model: str = Field("gpt-4o-mini", description="name of the model at that endpoint")
    openai_embedding_model: str = Field(
        "",
        description="embedding model at that endpoint that compares questions and articles, like `text-embedding-3-small`; "
        "without it nothing is sent for that",
    )
    ai_timeout_seconds: float = Field(8.0, gt=0, le=60, description="longest wait for the model, both tries together")
    embeddings: Literal["", "static", "minilm"] = Field(
        "", description="how texts are compared: `static` or `minilm`; without it the best that is installed"
    )
    smtp_host: str = Field("", description="mail server; without it each notice is one log line")
    smtp_port: int = Field(587, ge=1, le=65535, description="port of the mail server")
    smtp_username: str = Field("", description="name to sign in to the mail server with")
    smtp_password: SecretStr = Field(SecretStr(""), description="password of that name")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        "starttls", description="how the connection is protected: `none`, `starttls` or `tls`"
    )
    mail_from: str = Field(
        "support@localhost",
        description="sender of every notice, one address; a name (`Name <a@example.com>`) is for the company `default` alone",
    )
    support_email: str = Field(
        "",
        description="who is alerted to urgent tickets, chats that need a person and agreed times at risk, of the company "
        "`default`, several with commas between; others set `support_email` in their settings",
    )
    inbound_secret: SecretStr = Field(
        SecretStr(""),
        description="secret of services that post mail to /api/inbound/email; 20 characters or more, without it none may",
    )
    imap_host: str = Field("", description="mail server whose mailbox is read; without it none is")
    imap_port: int = Field(0, ge=0, le=65535, description="port of that server; 993, or 143 without `ssl`")
    imap_username: str = Field("", description="name to sign in to the mailbox with")
    imap_password: SecretStr = Field(SecretStr(""), description="password of that name")
    imap_security: Literal["none", "starttls", "ssl"] = Field(
        "ssl", description="how the connection is protected: `none`, `starttls` or `ssl`"
    )
    imap_folder: str = Field("INBOX", description="folder that mail is taken from")
    imap_done_folder: str = Field(
        "", description="folder that taken mail is moved to; without it unread mail is taken and marked as read"
    )
    sns_topic_arn: str = Field(
        "", description="Amazon SNS topic that learns of chats that need a person; needs `requirements-aws.txt`"
    )
    webhook_allow_hosts: str = Field(
        "",
        description="hosts that webhooks may call although they are private or speak plain http, as written in the URL, "
        "comma separated",
    )
    demo: bool = Field(False, description="whether an empty server is filled with demo tickets when it starts")
    render: str = Field("", description="set by Render; the same as APP_ENV=production")
    dyno: str = Field("", description="set by Heroku, where no file survives")

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, values: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in values.items() if not (isinstance(value, str) and not trimmed(value))}

    @field_validator("*", mode="before")
    @classmethod
    def _trim(cls, value: object, info: ValidationInfo) -> object:
        """Without spaces, line ends and invisible marks at its ends; between them only SUPPORT_EMAIL may have line ends."""
        secret = isinstance(value, SecretStr)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str):
            return value
        text = trimmed(text)
        if info.field_name not in (
            "secret_key",
            "smtp_password",
            "imap_password",
            "oidc_client_secret",
        ) and _QUOTED.fullmatch(text):
            text = trimmed(text[1:-1])
        if info.field_name != "support_email" and any(c < " " or c == "\x7f" for c in text):
            raise ValueError("must be one line, without control characters")
        return SecretStr(text) if secret else text

    @field_validator("app_env", "smtp_security", "imap_security", "embeddings", mode="before")
    @classmethod
    def _lower(cls, value: object, info: ValidationInfo) -> object:
        if info.field_name == "imap_security" and value in ("tls", "TLS"):
            return "ssl"  # as SMTP_SECURITY calls it
        return value.lower() if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("smtp_host", "imap_host", "host")
    @classmethod
    def _host_name(cls, value: str, info: ValidationInfo) -> str:
        if not re.fullmatch(r"[\w.:%\[\]-]*", value) or re.fullmatch(r"[^:]*:[^:]*|\[.*\]:.*", value):
            port = {"smtp_host": "SMTP_PORT", "imap_host": "IMAP_PORT"}.get(str(info.field_name), "PORT")
            raise ValueError(f"must be a host name or address alone; its port goes into {port}")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_engine(cls, value: SecretStr) -> SecretStr:
        url = _DRIVER.sub(r"\1://", value.get_secret_value())
        if not url.startswith(("json:", "sqlite:///", *POSTGRESQL)):
            raise ValueError("must begin with json:, sqlite:/// or postgresql://")
        return SecretStr(url)

    @field_validator("rate_limit")
    @classmethod
    def _known_limit(cls, value: str) -> str:
        text = value.strip().lower()
        try:
            if text == "off" or all(limit.amount for limit in parse_many(text)):
                return text
        except ValueError:
            pass
        raise ValueError("must be like `1200 per minute`, several with commas between, or `off`")

    @field_validator("rate_limit_storage_uri")
    @classmethod
    def _known_counter(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("memory://", "redis://", "rediss://", "redis+unix://")):
            raise ValueError("must begin with memory://, redis://, rediss:// or redis+unix://")
        return value

    @field_validator("openai_base_url", "public_url")
    @classmethod
    def _web_address(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return ""
        parts = split_web_address(value)
        if info.field_name == "public_url" and (parts.query or parts.fragment):
            raise ValueError("must be an address without ? and #, like https://help.example.com")
        path = parts.path.rstrip("/").removesuffix("/chat/completions")
        return parts._replace(path=path, fragment="").geturl()

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        origins = [origin for part in re.split(r"[,;\s]+", value) if (origin := part.rstrip("/"))]
        for origin in origins:
            if origin != "*" and ("://" not in origin or urlsplit(origin).path):
                raise ValueError("must be * or origins like https://app.example.com, with commas between")
        return ",".join(origins)

    @field_validator("webhook_allow_hosts")
    @classmethod
    def _hosts(cls, value: str) -> str:
        hosts = [host.strip("[]").lower() for host in re.split(r"[,;\s]+", value) if host]
        if any(re.search(r"[/@*\[\]]|^[^:]*:[^:]*$", host) for host in hosts):
            raise ValueError("must be host names or addresses alone, with commas between")
        return ",".join(hosts)

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:  # kept to the letter: tokens name it exactly so
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        return str(parse_mailbox(value))

    @field_validator("support_email")
    @classmethod
    def _alerted(cls, value: str) -> str:
        return ", ".join(box.address for box in parse_mailboxes(value))

    @field_validator("inbound_secret")
    @classmethod
    def _long_secret(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"must have {SHORTEST_SECRET} characters or more")
        return value

    @field_validator("sns_topic_arn")
    @classmethod
    def _topic(cls, value: str) -> str:
        if value and not _TOPIC.fullmatch(value):
            raise ValueError("must be like arn:aws:sns:eu-west-1:123456789012:support")
        if value and find_spec("boto3") is None:
            raise ValueError("needs boto3: pip install -r requirements-aws.txt")
        return value

    @field_validator("attachments_url")
    @classmethod
    def _bucket(cls, value: str) -> str:
        if value and not _BUCKET.fullmatch(value):
            raise ValueError("must be like s3://bucket or s3://bucket/prefix")
        if value and find_spec("boto3") is None:
            raise ValueError("needs boto3: pip install -r requirements-aws.txt")
        return value

    @model_validator(mode="after")
    def _issuer_has_an_audience(self) -> "Settings":
        if self.oidc_issuer and not (self.oidc_audience or self.oidc_client_id):
            raise ValueError("OIDC_AUDIENCE or OIDC_CLIENT_ID must be given together with OIDC_ISSUER")
        return self

    @model_validator(mode="after")
    def _button_has_what_it_needs(self) -> "Settings":
        if self.oidc_client_id and not (self.oidc_issuer and self.public_url):
            raise ValueError("OIDC_CLIENT_ID needs OIDC_ISSUER and PUBLIC_URL, to which the issuer sends people back")
        if self.oidc_client_secret.get_secret_value() and not self.oidc_client_id:
            raise ValueError("OIDC_CLIENT_SECRET needs OIDC_CLIENT_ID")
        return self

    @model_validator(mode="after")
    def _production_has_a_secret(self) -> "Settings":
        secret = self.secret_key.get_secret_value()
        if (secret or self.production) and len(secret.encode()) < 32:
            raise ValueError("SECRET_KEY must be 32 bytes or more, and must be given in production")
        return self

    @model_validator(mode="after")
    def _production_has_no_key_to_guess(self) -> "Settings":
        key = self.api_key.get_secret_value().strip()
        if self.production and 0 < len(key) < SHORTEST_API_KEY:
            raise ValueError(f"API_KEY must have {SHORTEST_API_KEY} characters or more in production")
        return self

    @property
    def registration_open(self) -> bool:
        """OPEN_REGISTRATION; without it on, but in production off."""
        return not self.production if self.open_registration is None else self.open_registration

    @property
    def production(self) -> bool:
        return self.app_env == "production" or bool(self.render) or self.on_postgresql

    @property
    def on_postgresql(self) -> bool:
        """Whether the data is on a server that several processes share."""
        return self.database_url.get_secret_value().startswith(POSTGRESQL)

    @property
    def attachment_quota(self) -> int:
        """ATTACHMENTS_QUOTA_MEGABYTES in bytes."""
        return self.attachments_quota_megabytes * 1024 * 1024

    @property
    def attachments_folder(self) -> Path:
        """Where attached files are kept when ATTACHMENTS_URL names no bucket."""
        return self.data_dir / "attachments"

    @property
    def sender(self) -> Mailbox:
        """The mailbox of MAIL_FROM."""
        return parse_mailbox(self.mail_from)

    @property
    def bind_host(self) -> str:
        """HOST; without it every interface when the platform sets PORT, else this machine only."""
        return self.host or ("0.0.0.0" if "PORT" in os.environ else "127.0.0.1")  # noqa: S104

    @property
    def webhook_allow_host_list(self) -> list[str]:
        return [host for host in self.webhook_allow_hosts.split(",") if host]

    @property
    def cors_origin_list(self) -> list[str]:
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]


def _problem(name: str, message: str) -> str:
    words = message.removeprefix("Value error, ")
    return f"{name}: {words}" if name else words


def load_settings() -> Settings:
    """The settings of this process. Raises ConfigError naming each variable that cannot be used (never its value)."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [_problem(".".join(map(str, e["loc"])).upper(), e["msg"]) for e in error.errors()]
        raise ConfigError("Cannot start, please correct the environment: " + "; ".join(problems)) from None

"""The only reader of the environment: every setting, typed, with its default and a sentence.

A value that cannot be used stops the start with the variable's name; nothing else reads os.environ.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from core import setting_values
from core.mailboxes import Mailbox, parse_mailbox
from core.normal_form import trimmed
from core.setting_values import POSTGRESQL

# For numpy, which is imported after this file: each matrix is small, and waiting threads of BLAS cost more than they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

HERE = Path(__file__).resolve().parent
SHORTEST_API_KEY = 20  # characters; shorter ones can be guessed, so production refuses them
_QUOTED = re.compile(r""" "[^"]*" | '[^']*' """, re.VERBOSE)  # as a file for Docker keeps them


class ConfigError(Exception):
    """The environment holds a value that cannot be used; the text names the variable."""


class Settings(BaseSettings):
    """What the environment or a `.env` file beside app.py says; each field is the variable of that name in capitals."""

    model_config = SettingsConfigDict(env_file=HERE / ".env", env_ignore_empty=True, extra="ignore", frozen=True)

    app_env: Annotated[Literal["development", "production"], BeforeValidator(setting_values.lower)] = Field(
        "development", description="`production` demands SECRET_KEY; PostgreSQL is production too"
    )
    host: Annotated[str, AfterValidator(setting_values.host_name("PORT"))] = Field(
        "", description="address to listen on; 127.0.0.1, or 0.0.0.0 when the host sets PORT"
    )
    port: int = Field(5000, ge=0, le=65535, description="port to listen on")
    threads: int = Field(16, ge=1, le=256, description="requests served at once by one process")
    web_concurrency: int = Field(1, ge=1, le=64, description="processes on PostgreSQL; a file is served by one")
    data_dir: Path = Field(
        HERE / "data", description="folder of the data file and its journal, lock, private query file and made keys"
    )
    database_url: Annotated[SecretStr, AfterValidator(setting_values.database)] = Field(
        SecretStr("json:"), description="`json:` (a JSON file in DATA_DIR), `sqlite:///path.db` or `postgresql://…`"
    )
    attachments_url: Annotated[str, AfterValidator(setting_values.s3_folder)] = Field(
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
    rate_limit: Annotated[str, AfterValidator(setting_values.rate)] = Field(
        "1200 per minute", description="most requests of one key or person; `off` for none"
    )
    rate_limit_storage_uri: Annotated[SecretStr, AfterValidator(setting_values.counter_address)] = Field(
        SecretStr("memory://"), description="where requests are counted; `redis://…` for several instances together"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=9, description="how many proxies in front are believed about the caller's address; 1 on Render"
    )
    oidc_issuer: Annotated[str, AfterValidator(setting_values.issuer)] = Field(
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
    cors_origins: Annotated[str, AfterValidator(setting_values.origins)] = Field(
        "*",
        description="origins that browsers may call /api from, comma separated; /mcp only from those that are named",
    )
    mcp: bool = Field(
        True, description="whether AI clients may call /mcp (Model Context Protocol); `off` loads none of it"
    )
    public_url: Annotated[str, AfterValidator(setting_values.page_address)] = Field(
        "", description="address of this server as customers see it; put into notices"
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(setting_values.upper)] = Field(
        "INFO", description="least severe log line that is written"
    )
    openai_api_key: SecretStr = Field(
        SecretStr(""), description="key of the language model; without it replies are canned"
    )
    openai_base_url: Annotated[str, AfterValidator(setting_values.web_address)] = Field(
        "", description="any OpenAI-compatible endpoint (Azure, Gemini, Ollama, vLLM)"
    )
    openai_model: str = Field("gpt-4o-mini", description="name of the model at that endpoint")
    openai_embedding_model: str = Field(
        "",
        description="embedding model at that endpoint that compares questions and articles, like `text-embedding-3-small`; "
        "without it nothing is sent for that",
    )
    ai_timeout_seconds: float = Field(8.0, gt=0, le=60, description="longest wait for the model, both tries together")
    embeddings: Annotated[Literal["", "static", "minilm"], BeforeValidator(setting_values.lower)] = Field(
        "", description="how texts are compared: `static` or `minilm`; without it the best that is installed"
    )
    smtp_host: Annotated[str, AfterValidator(setting_values.host_name("SMTP_PORT"))] = Field(
        "", description="mail server; without it each notice is one log line"
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="port of the mail server")
    smtp_username: str = Field("", description="name to sign in to the mail server with")
    smtp_password: SecretStr = Field(SecretStr(""), description="password of that name")
    smtp_security: Annotated[Literal["none", "starttls", "tls"], BeforeValidator(setting_values.lower)] = Field(
        "starttls", description="how the connection is protected: `none`, `starttls` or `tls`"
    )
    mail_from: Annotated[str, AfterValidator(setting_values.mailbox)] = Field(
        "support@localhost",
        description="sender of every notice, one address; a name (`Name <a@example.com>`) is for the company `default` alone",
    )
    support_email: Annotated[str, AfterValidator(setting_values.mail_addresses)] = Field(
        "",
        description="who is alerted to urgent tickets, chats that need a person and agreed times at risk, of the company "
        "`default`, several with commas between; others set `support_email` in their settings",
    )
    inbound_secret: Annotated[SecretStr, AfterValidator(setting_values.service_secret)] = Field(
        SecretStr(""),
        description="secret of services that post mail to /api/inbound/email; 20 characters or more, without it none may",
    )
    imap_host: Annotated[str, AfterValidator(setting_values.host_name("IMAP_PORT"))] = Field(
        "", description="mail server whose mailbox is read; without it none is"
    )
    imap_port: int = Field(0, ge=0, le=65535, description="port of that server; 993, or 143 without `ssl`")
    imap_username: str = Field("", description="name to sign in to the mailbox with")
    imap_password: SecretStr = Field(SecretStr(""), description="password of that name")
    imap_security: Annotated[Literal["none", "starttls", "ssl"], BeforeValidator(setting_values.mail_security)] = Field(
        "ssl", description="how the connection is protected: `none`, `starttls` or `ssl`"
    )
    imap_folder: str = Field("INBOX", description="folder that mail is taken from")
    imap_done_folder: str = Field(
        "", description="folder that taken mail is moved to; without it unread mail is taken and marked as read"
    )
    sns_topic_arn: Annotated[str, AfterValidator(setting_values.sns_topic)] = Field(
        "", description="Amazon SNS topic that learns of chats that need a person; needs `requirements-aws.txt`"
    )
    webhook_allow_hosts: Annotated[str, AfterValidator(setting_values.host_list)] = Field(
        "",
        description="hosts that webhooks may call although they are private or speak plain http, as written in the URL, "
        "comma separated",
    )
    dialects: Annotated[str, AfterValidator(setting_values.dialects)] = Field(
        "",
        description="other help desks whose clients this server answers: `supportflow`, `urgencyiq`, `punai`, comma separated",
    )
    dialect_seed_file: Annotated[str, AfterValidator(setting_values.readable_file)] = Field(
        "", description="CSV file that seeding by a client of `urgencyiq` imports when it sends none"
    )
    demo: bool = Field(False, description="whether an empty server is filled with demo tickets when it starts")
    render: str = Field("", description="set by Render; the same as APP_ENV=production")
    dyno: str = Field("", description="set by Heroku, where no file survives")
    aws_lambda_function_name: str = Field(
        "", description="set by AWS Lambda; DATABASE_URL, ATTACHMENTS_URL and API_KEY are required there"
    )

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

    @model_validator(mode="after")
    def _lambda_keeps_no_files(self) -> "Settings":
        if self.aws_lambda_function_name:
            missing = [
                sentence
                for sentence, is_met in (
                    ("DATABASE_URL must name a PostgreSQL", self.on_postgresql),
                    ("ATTACHMENTS_URL must name an S3 bucket", bool(self.attachments_url)),
                    ("API_KEY must be given", bool(self.api_key.get_secret_value())),
                )
                if not is_met
            ]
            if missing:
                raise ValueError(f"AWS Lambda keeps no files: {', '.join(missing)}")
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
    def dialect_list(self) -> tuple[str, ...]:
        return tuple(name for name in self.dialects.split(",") if name)

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

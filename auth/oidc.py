"""Verifies tokens of an OpenID Connect issuer (Entra ID, Auth0, Keycloak) and maps their claims to a person.

services/accounts/sign_in.py turns the person into a user of a company.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson
import requests
from email_validator import EmailNotValidError
from urllib3.exceptions import HTTPError

from config import Settings
from core.errors import AppError, unavailable
from core.models import LIMITS, Role
from core.normal_form import valid_email

log = logging.getLogger("foyer.oidc")

ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
KINDS = ("jwt", "at+jwt", "application/at+jwt")  # RFC 9068; other kinds, such as logout tokens, are refused
REQUIRED = ("exp", "iss", "sub")
LEEWAY_SECONDS = 60
KEYS_SECONDS = 3600  # keys are fetched again after this time
AGAIN_SECONDS = 60  # least time between two fetches
FIRST_AGAIN_SECONDS = 10  # the same, while there are no keys yet
TIMEOUT_SECONDS = 5.0
MOST_BYTES = 512 * 1024
MOST_SUBJECT = 255

Json = dict[str, Any]


class Unusable(Exception):
    """The issuer's answer cannot be used; the text is for the log. `status` is of the HTTP answer, 0 of a valid one."""

    def __init__(self, text: str, *, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


UNREACHABLE = (Unusable, requests.RequestException, HTTPError, ValueError)


@dataclass(frozen=True, slots=True)
class Person:
    """The person a token stands for. Only `identity` is unique: an e-mail address can be given to another person."""

    identity: str
    email: str
    name: str
    company: str
    role: Role


@dataclass(frozen=True, slots=True)
class _Keys:
    by_id: Mapping[str, jwt.PyJWK]
    stale_at: float
    discovery: Json = field(default_factory=dict)


class Issuer:
    """One issuer and its cached keys. One thread at a time fetches keys; a cached key needs no wait."""

    def __init__(self, url: str, audience: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._audience = audience
        self._clock = clock
        self._fetch_lock = threading.Lock()
        self._keys = _Keys({}, 0.0)
        self._next_fetch = 0.0

    def claims(self, token: str, *, audience: str = "") -> Json | None:
        """The claims of a valid token of this issuer for an audience, else None. Raises AppError 503 without keys.

        Without `audience` it is the one of OIDC_AUDIENCE; where there is none, no token is valid. An access token of Amazon
        Cognito names OIDC_AUDIENCE as its client.
        """
        own_audience = audience or self._audience
        if not own_audience:
            return None
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(header.get("kid"))
            if key is None or str(header.get("typ", "jwt")).lower() not in KINDS:
                return None
            try:
                claims = self._decoded(token, key, audience=own_audience)
            except jwt.MissingRequiredClaimError as error:
                if audience or error.claim != "aud":
                    raise
                claims = self._decoded(token, key, audience="")
                if not _is_cognito_access_token(claims, own_audience):
                    return None
        except (jwt.PyJWTError, ValueError):
            return None
        subject = claims["sub"]
        return claims if subject.isprintable() and 0 < len(subject) <= MOST_SUBJECT else None

    def _decoded(self, token: str, key: jwt.PyJWK, *, audience: str) -> Json:
        """The claims of a valid token; with an audience of "" it is not checked. Raises PyJWTError."""
        claims: Json = jwt.decode(
            token,
            key,
            [key.algorithm_name],  # from the key, never from the token's header
            audience=audience or None,
            issuer=self.url,
            leeway=LEEWAY_SECONDS,
            options={
                "require": [*REQUIRED, *(["aud"] if audience else [])],
                "verify_aud": bool(audience),
                "enforce_minimum_key_length": True,
            },
        )
        return claims

    def endpoint(self, name: str) -> str:
        """An address of the discovery document, such as token_endpoint. Raises AppError 503."""
        if not self._keys.by_id or self._clock() >= self._keys.stale_at:
            self._key("")  # whose look-up fetches the document where that is due
        url = self._keys.discovery.get(name)
        if not self._is_secure(url):
            log.warning("The OpenID Connect issuer has no %s, or one that is less secure than its own address", name)
            raise _cannot_check(AGAIN_SECONDS)
        return str(url)

    def supports(self, name: str, value: str) -> bool:
        """Whether a list of the discovery document names a value. Call `endpoint` first."""
        values = self._keys.discovery.get(name)
        return isinstance(values, list) and value in values

    def _is_secure(self, url: object) -> bool:
        return isinstance(url, str) and urlsplit(url).scheme in ("https", urlsplit(self.url).scheme)

    def _key(self, key_id: object) -> jwt.PyJWK | None:
        if not isinstance(key_id, str):
            return None
        keys, now = self._keys, self._clock()
        key = keys.by_id.get(key_id)
        if (key and now < keys.stale_at) or (keys.by_id and now < self._next_fetch):
            return key
        if keys.by_id:  # the old keys serve while one thread fetches new ones
            if self._fetch_lock.acquire(blocking=False):
                try:
                    self._refresh_keys()
                finally:
                    self._fetch_lock.release()
            elif key is None:
                raise _cannot_check(1)
            return self._keys.by_id.get(key_id)
        with self._fetch_lock:  # the first fetch: everybody waits for it
            if not self._keys.by_id and self._clock() >= self._next_fetch:
                self._refresh_keys()
        if not self._keys.by_id:
            raise _cannot_check(max(1, round(self._next_fetch - self._clock())))
        return self._keys.by_id.get(key_id)

    def _refresh_keys(self) -> None:
        """Fetches the keys; keeps the old ones when that fails."""
        try:
            discovery, by_id = self._fetch_keys()
        except UNREACHABLE as error:
            log.warning("The keys of the OpenID Connect issuer cannot be read: %s", error)
            self._next_fetch = self._clock() + (AGAIN_SECONDS if self._keys.by_id else FIRST_AGAIN_SECONDS)
            return
        now = self._clock()
        self._next_fetch = now + AGAIN_SECONDS
        self._keys = _Keys(by_id, now + KEYS_SECONDS, discovery)

    def _fetch_keys(self) -> tuple[Json, dict[str, jwt.PyJWK]]:
        discovery = fetch_json(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        if discovery.get("issuer") != self.url:
            raise Unusable(f"OIDC_ISSUER is {self.url}, but the issuer there calls itself {discovery.get('issuer')!r}")
        keys_url = discovery.get("jwks_uri")
        if not isinstance(keys_url, str) or not self._is_secure(keys_url):
            raise Unusable("its jwks_uri is missing or less secure than its own address")
        keys = fetch_json(keys_url).get("keys")
        pairs = [_usable(key) for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
        by_id = dict(pair for pair in pairs if pair)
        if not by_id:
            raise Unusable("it has no key for RS256 or ES256")
        return discovery, by_id


def fetch_json(url: str, *, form: dict[str, str] | None = None, login: tuple[str, str] | None = None) -> Json:
    """The JSON object at an address, or what it answers to a posted form. Raises one of UNREACHABLE.

    Follows no redirect; size and time are limited.
    """
    deadline, raw, headers = time.monotonic() + TIMEOUT_SECONDS, b"", {"Accept-Encoding": "identity"}
    with requests.request(
        "GET" if form is None else "POST",
        url,
        data=form,
        auth=login,
        headers={**headers, "Accept": "application/json"},
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
        stream=True,
    ) as response:
        if response.status_code != 200:
            raise Unusable(f"{url} answers {response.status_code}", status=response.status_code)
        while chunk := response.raw.read1(
            64 * 1024
        ):  # reads what has arrived: waiting for a full chunk could last for ever
            raw += chunk
            if len(raw) > MOST_BYTES or time.monotonic() > deadline:
                raise Unusable(f"{url} sends too much, or too slowly")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Unusable(f"{url} does not answer JSON") from None
    if not isinstance(body, dict):
        raise Unusable(f"{url} does not answer an object")
    return body


def _usable(jwk: Json) -> tuple[str, jwt.PyJWK] | None:
    """The id and public key of a usable signing key, else None."""
    algorithm = ALGORITHMS.get(str(jwk.get("kty")))
    key_id = jwk.get("kid")
    if not algorithm or not isinstance(key_id, str) or jwk.get("use", "sig") != "sig":
        return None
    if jwk.get("alg", algorithm) != algorithm or (algorithm == "ES256" and jwk.get("crv") != "P-256"):
        return None
    public: Json = {name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk}
    try:
        return key_id, jwt.PyJWK(public, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _is_cognito_access_token(claims: Json, client_id: str) -> bool:
    """Whether it is an access token of Amazon Cognito for that client. Those have `client_id` and no `aud` at all."""
    return "aud" not in claims and claims.get("token_use") == "access" and claims.get("client_id") == client_id


def _cannot_check(seconds: int) -> AppError:
    return unavailable("Your sign-in cannot be checked at the moment. Please try again.", retry_after=seconds)


def names_issuer(token: str, issuer: str) -> bool:
    """Whether an unverified token names that issuer."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        return False
    return bool(issuer) and claims.get("iss") == issuer


def person(claims: Mapping[str, Any], settings: Settings) -> Person:
    """The person of verified claims; `company` is "" unless they name exactly one."""
    email = _email(claims, settings)
    names = (claims.get("name"), f"{claims.get('given_name', '')} {claims.get('family_name', '')}", email)
    return Person(
        identity=f"{claims['iss']}|{claims['sub']}",
        email=email,
        name=next((name for name in map(_line, names) if name), ""),
        company=_company(claims, settings),
        role=_role(_values(_claim(claims, settings.oidc_role_claim)), settings),
    )


def _role(values: set[str], settings: Settings) -> Role:
    if settings.oidc_admin_role in values:
        return "admin"
    return "agent" if settings.oidc_agent_role in values else "customer"


def _company(claims: Mapping[str, Any], settings: Settings) -> str:
    if not settings.oidc_company_claim:
        return settings.oidc_company
    company = _claim(claims, settings.oidc_company_claim)
    if isinstance(company, list):
        company = company[0] if len(company) == 1 else ""
    return str(company).strip() if isinstance(company, str | int) and not isinstance(company, bool) else ""


def _email(claims: Mapping[str, Any], settings: Settings) -> str:
    """The address the issuer has verified, else "": a customer's tickets are found by it."""
    claim_name = settings.oidc_email_claim
    if not claim_name and str(claims.get("email_verified", claims.get("xms_edov"))).lower() not in ("true", "1"):
        return ""  # unverified addresses can be freely chosen; xms_edov is Entra ID's claim
    try:
        text = str(_claim(claims, claim_name or "email"))[: LIMITS["email"] + 1]  # longer text is no address
        return valid_email(text)
    except EmailNotValidError:
        return ""


def _claim(claims: object, path: str) -> object:
    """A claim by its name, which may contain dots, or by its path: `realm_access.roles`."""
    if not isinstance(claims, Mapping):
        return None
    if path in claims:
        return claims[path]
    first, dot, rest = path.partition(".")
    return _claim(claims.get(first), rest) if dot else None


def _values(claim: object) -> set[str]:
    """The values of a claim: the items of a list or the words of a text."""
    if isinstance(claim, str):
        return {claim.strip(), *re.split(r"[\s,]+", claim)}
    return {item for item in claim if isinstance(item, str)} if isinstance(claim, list) else set()


def _line(value: object) -> str:
    """The text as one printable line."""
    text = "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) else ""
    return " ".join(text.split())[: LIMITS["name"]]

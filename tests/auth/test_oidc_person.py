"""The claims of a verified token: identity, address, company and role."""

import pytest

from auth.oidc import Person, person
from config import Settings

CLAIMS = {"iss": "https://id.example/", "sub": "ada-1"}
ADA = {**CLAIMS, "name": "Ada Byron", "email": "Ada@Example.com", "email_verified": True}


@pytest.fixture
def engine():
    """Claims know no storage."""
    return "json"


def read(claims, **settings):
    issuer = {"oidc_issuer": "https://id.example/", "oidc_audience": "api://foyer"}
    return person({**CLAIMS, **claims}, Settings(_env_file=None, **issuer, **settings))


def test_a_person_with_the_usual_claims():
    assert read({**ADA, "roles": ["agent"]}) == Person(
        identity="https://id.example/|ada-1", email="ada@example.com", name="Ada Byron", company="default", role="agent"
    )


ENTRA = {"oid": "0f", "preferred_username": "ada@contoso.com", "name": "Ada", "roles": ["Desk.Admin"], "xms_edov": True}
AUTH0 = {**ADA, "https://foyer.example/roles": ["boss"], "org_name": "acme", "app": {"metadata": {"org": "Acme"}}}
KEYCLOAK = {
    **ADA,
    "realm_access": {"roles": ["offline_access", "admin"]},
    "resource_access": {"foyer": {"roles": ["agent"]}},
}


@pytest.mark.parametrize(
    ("claims", "settings", "role", "company"),
    [
        (ENTRA, {"oidc_admin_role": "Desk.Admin"}, "admin", "default"),
        (
            AUTH0,
            {
                "oidc_role_claim": "https://foyer.example/roles",
                "oidc_admin_role": "boss",
                "oidc_company_claim": "org_name",
            },
            "admin",
            "acme",
        ),
        (AUTH0, {"oidc_company_claim": "app.metadata.org"}, "customer", "Acme"),
        (KEYCLOAK, {"oidc_role_claim": "realm_access.roles", "oidc_company": "Acme"}, "admin", "Acme"),
        (KEYCLOAK, {"oidc_role_claim": "resource_access.foyer.roles"}, "agent", "default"),
    ],
)
def test_claims_of_known_issuers(claims, settings, role, company):
    found = read(claims, **settings)
    assert (found.role, found.company) == (role, company)


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (["admin"], "admin"),
        (["agent", "admin"], "admin"),
        ("agent", "agent"),
        ("user agent", "agent"),
        ("user,agent", "agent"),
        ("user, admin agent", "admin"),
        (["user agent"], "customer"),
        (["Admin"], "customer"),
        (["administrator"], "customer"),
        ("", "customer"),
        ([], "customer"),
        (None, "customer"),
        (True, "customer"),
        ({"admin": True}, "customer"),
        ([["admin"], 7, None], "customer"),
    ],
)
def test_a_role_is_one_of_the_words_of_the_claim(roles, role):
    assert read({"roles": roles}).role == role


def test_a_role_of_several_words_is_one_role():
    assert read({"roles": "help desk lead"}, oidc_admin_role="help desk lead").role == "admin"
    assert read({"roles": ["help desk lead"]}, oidc_admin_role="help desk lead").role == "admin"


@pytest.mark.parametrize(
    ("claim", "company"),
    [
        ("Acme", "Acme"),
        (" Acme ", "Acme"),
        (["Acme"], "Acme"),
        (7, "7"),
        (["Acme", "Other"], ""),
        ([], ""),
        ("", ""),
        (None, ""),
        (True, ""),
        ({"name": "Acme"}, ""),
        ([["Acme"]], ""),
    ],
)
def test_the_company_claim_overrides_the_default_company(claim, company):
    assert read({"org": claim}, oidc_company_claim="org", oidc_company="default").company == company


def test_a_missing_company_claim_names_no_company():
    assert read({}, oidc_company_claim="org.name").company == ""
    assert read({"org": "Acme"}, oidc_company_claim="org.name").company == ""


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": "Ada@Example.com", "email_verified": True}, "ada@example.com"),
        ({"email": "ada@example.com", "email_verified": "true"}, "ada@example.com"),
        ({"email": "ada@example.com", "xms_edov": True}, "ada@example.com"),
        ({"email": "ada@example.com"}, ""),
        ({"preferred_username": "ada@example.com", "email_verified": True}, ""),
        ({"upn": "ada@example.com", "email_verified": True}, ""),
        ({"email": "ada@example.com", "email_verified": False}, ""),
        ({"email": "ada@example.com", "email_verified": "false"}, ""),
        ({"email": "ada@example.com", "email_verified": None}, ""),
        ({"email": "ada@example.com", "xms_edov": False}, ""),
        ({"email": "ada@example.com", "xms_edov": "0"}, ""),
        ({"preferred_username": "ada@example.com", "email_verified": False}, ""),
        ({"preferred_username": "ada"}, ""),
        ({"email": "ada@example.com\nBcc: all@example.com"}, ""),
        ({"email": ["ada@example.com"]}, ""),
        ({"email": "a" * 64 + "@" + "example." * 40 + "com"}, ""),
        ({"email": "ada\udc80@example.com"}, ""),
        ({}, ""),
    ],
)
def test_only_a_verified_address_is_used(claims, email):
    assert read(claims).email == email


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "  Ada\tByron\n"}, "Ada Byron"),
        ({"given_name": "Ada", "family_name": "Byron"}, "Ada Byron"),
        ({"family_name": "Byron"}, "Byron"),
        ({"email": "ada@example.com", "email_verified": True}, "ada@example.com"),
        ({"name": 7, "email": "ada@example.com", "email_verified": True}, "ada@example.com"),
        ({"name": "Zoë 🦊 O'Neil"}, "Zoë 🦊 O'Neil"),
        ({"name": "a\x00b\ud800c\u202ed"}, "a b c d"),
        ({"name": "x" * 500}, "x" * 120),
        ({}, ""),
    ],
)
def test_a_name_becomes_one_line_of_limited_length(claims, name):
    assert read(claims).name == name


def test_the_same_subject_of_another_issuer_is_another_person():
    assert read({}).identity != read({"iss": "https://other.example/"}).identity


@pytest.mark.parametrize("claim", ["preferred_username", "upn", "https://example.com/mail"])
def test_the_configured_address_claim_is_used_without_verification(claim):
    assert read({claim: "Ada@example.com"}, oidc_email_claim=claim).email == "ada@example.com"
    assert read({claim: "ada", "email": "ada@example.com", "email_verified": True}, oidc_email_claim=claim).email == ""

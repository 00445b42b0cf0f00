"""The settings of single sign-on: what belongs together, and that a start without it names what is missing."""

import pytest

from config import ConfigError, load_settings

ISSUER = {"OIDC_ISSUER": "https://sso.example/"}
BUTTON = {**ISSUER, "OIDC_CLIENT_ID": "foyer", "PUBLIC_URL": "https://help.example"}


@pytest.fixture
def load(monkeypatch):
    """Loads the settings of an environment."""

    def settings(environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return settings


@pytest.mark.parametrize("environment", [{**ISSUER, "OIDC_AUDIENCE": "api://foyer"}, BUTTON])
def test_an_issuer_has_an_audience_or_a_button(load, environment):
    assert load(environment).oidc_issuer == "https://sso.example/"


MISSING = [
    (ISSUER, "OIDC_AUDIENCE"),
    ({**BUTTON, "PUBLIC_URL": ""}, "PUBLIC_URL"),
    ({**BUTTON, "OIDC_ISSUER": ""}, "OIDC_ISSUER"),
    ({"OIDC_CLIENT_SECRET": "a secret"}, "OIDC_CLIENT_ID"),
]


@pytest.mark.parametrize(("environment", "name"), MISSING)
def test_what_is_missing_stops_the_start_by_name(load, environment, name):
    with pytest.raises(ConfigError, match=name) as refused:
        load(environment)
    assert "a secret" not in str(refused.value)

"""Settings are trimmed and normalized, or refused at the start with their name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import ConfigError, Settings, load_settings
from storage import StorageError, open_storage

ROOT = Path(__file__).resolve().parent.parent.parent
TAKEN = {
    ("MAIL_FROM", "Acme, Inc. <support@acme.example>\n"): '"Acme, Inc." <support@acme.example>',
    ("MAIL_FROM", "Hilfe <hilfe@bücher.example>"): "Hilfe <hilfe@xn--bcher-kva.example>",
    ("SUPPORT_EMAIL", "Help <help@acme.example>"): "help@acme.example",
    ("SUPPORT_EMAIL", "a@x.example; b@x.example"): "a@x.example, b@x.example",
    ("SUPPORT_EMAIL", "a@x.example\nb@x.example\n"): "a@x.example, b@x.example",
    ("OPENAI_API_KEY", "sk-123\r\n"): "sk-123",
    ("OPENAI_BASE_URL", " https://x.example/v1/\n"): "https://x.example/v1",
    ("OPENAI_BASE_URL", "https://x.example/v1/chat/completions"): "https://x.example/v1",
    ("OPENAI_BASE_URL", "https://x.example/m?api-version=2026-01-01"): "https://x.example/m?api-version=2026-01-01",
    ("PUBLIC_URL", "\ufeffhttps://help.example/"): "https://help.example",
    ("CORS_ORIGINS", "https://a.example/; https://b.example"): "https://a.example,https://b.example",
    ("DATABASE_URL", "postgresql+psycopg2://u@h/d?sslmode=require"): "postgresql://u@h/d?sslmode=require",
    ("SMTP_HOST", "mail.example\u200b"): "mail.example",
    ("SMTP_PORT", "587\n"): 587,
    ("DEMO", " true "): True,
    ("OPENAI_API_KEY", '"sk-x"'): "sk-x",
    ("PUBLIC_URL", "'https://help.example'"): "https://help.example",
    ("MAIL_FROM", '"Acme" <help@acme.example>'): "Acme <help@acme.example>",
    ("SMTP_PASSWORD", '"exactly so"'): '"exactly so"',
    ("SMTP_HOST", "::1"): "::1",
    ("MAIL_FROM", " \n"): "support@localhost",
    ("PORT", "  "): 5000,
}
REFUSED = {
    ("MAIL_FROM", "a@x.example, b@x.example"): "one e-mail address",
    ("MAIL_FROM", "support"): "one e-mail address",
    ("MAIL_FROM", "jös@a.example"): "with ASCII letters before the @",
    ("SUPPORT_EMAIL", "help@acme.example, nobody"): "one or more e-mail addresses",
    ("SUPPORT_EMAIL", "nobody"): "comma, semicolon or line end between",
    ("SMTP_HOST", "mail.example:2525"): "SMTP_PORT",
    ("SMTP_HOST", "smtp://mail.example"): "SMTP_PORT",
    ("SMTP_HOST", "mail.example:abc"): "SMTP_PORT",
    ("SMTP_HOST", "“mail.example”"): "SMTP_PORT",
    ("HOST", "0.0.0.0:8000"): "PORT",
    ("OPENAI_BASE_URL", "x.example/v1"): "http:// or https://",
    ("OPENAI_BASE_URL", "https://"): "name a host",
    ("OPENAI_API_KEY", "sk-1\nsk-2"): "one line",
    ("PUBLIC_URL", "https://help.example/?a=b"): "without ? and #",
    ("CORS_ORIGINS", "a.example"): "origins like https://app.example.com",
    ("CORS_ORIGINS", "https://a.example/app"): "origins like https://app.example.com",
    ("DATABASE_URL", "mysql://h/d"): "postgresql://",
}


@pytest.fixture(autouse=True)
def no_env_file(monkeypatch):
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("SECRET_KEY", "x" * 40)


@pytest.mark.parametrize(("written", "used"), TAKEN.items(), ids=ascii)
def test_a_setting_is_normalized(monkeypatch, written, used):
    name, text = written
    monkeypatch.setenv(name, text)
    value = getattr(load_settings(), name.lower())
    assert (value.get_secret_value() if hasattr(value, "get_secret_value") else value) == used


@pytest.mark.parametrize(("written", "reason"), REFUSED.items(), ids=ascii)
def test_an_unusable_setting_stops_the_start_and_is_named(monkeypatch, written, reason):
    name, text = written
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError) as refused:
        load_settings()
    assert f"{name}: " in str(refused.value)
    assert reason in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_parameter_that_postgresql_does_not_know_is_named(tmp_path):
    with pytest.raises(StorageError) as refused:
        open_storage("postgresql://u:secret@h/d?sslmode=require&pgbouncer=true&connection_limit=1", tmp_path)
    assert "pgbouncer, connection_limit" in str(refused.value)
    assert "secret" not in str(refused.value)


NUMPY_THREADS = """
import os, sys
class Watch:
    def find_spec(self, name, *rest):
        if name == "numpy":
            print(os.environ.get("OPENBLAS_NUM_THREADS"))
sys.meta_path.insert(0, Watch())
import app
"""


def test_numpy_takes_one_thread_however_the_server_is_started():
    env = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    run = subprocess.run([sys.executable, "-c", NUMPY_THREADS], env=env, cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.split() == ["1"], run.stderr

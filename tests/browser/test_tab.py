"""The tab that the tests use: each kind of fault, planted, fails the test."""

import pytest

from tests.browser.conftest import tabs
from tools.screenshots.browser import NoBrowser, open_browser

PLANTED = {
    "policy": "document.body.setAttribute('style', 'color: red')",
    "policy: img-src": "document.body.append(Object.assign(new Image(), { src: 'http://elsewhere.example/a.png' }))",
    "console: out of ink": "console.error('out of ink')",
    "script: out of paper": "setTimeout(() => { throw new Error('out of paper'); }, 0)",
    "answer: 404 to GET": "fetch('/nothing')",
    "foreign: GET http://elsewhere.example/": "fetch('http://elsewhere.example/').catch(() => 0)",
}


@pytest.mark.parametrize("problem", PLANTED)
def test_a_planted_fault_fails_the_test(browser, desk, problem):
    with pytest.raises(AssertionError, match=problem):
        _plant(browser, desk, PLANTED[problem], bypass_csp=problem.startswith("foreign"))  # which the policy would stop


def _plant(browser, desk, script, **options):
    with tabs(browser, desk, None) as open_tab:
        tab = open_tab(**options)
        tab.open("/confirm")
        tab.check()
        tab.page.evaluate(f"() => {{ {script}; }}")
        tab.settle()


def test_an_announced_answer_is_no_fault(tab):
    tab.open("/confirm")
    with tab.expecting(404):
        tab.page.evaluate("fetch('/nothing')")
    tab.check()


def test_an_announced_answer_that_does_not_come_is_a_fault(tab, monkeypatch):
    tab.open("/confirm")
    monkeypatch.setattr("tests.browser.tab.PATIENCE_SECONDS", 0.2)
    with pytest.raises(AssertionError, match="no answer of 404 came"), tab.expecting(404):
        pass


def test_a_page_that_is_too_wide_fails_the_shot(tab):
    tab.open("/confirm")
    tab.page.evaluate("document.body.style.setProperty('width', '1300px')")
    with pytest.raises(AssertionError, match="confirm in 1280-light is 20 pixels too wide"):
        tab.shot("confirm")


def test_without_chromium_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoBrowser, match="apt-get install chromium fonts-liberation"), open_browser():
        pass

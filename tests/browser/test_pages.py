"""Every page loads without a fault, for whom it is made, and fits: light and dark, wide and narrow, with any aid."""

import pytest

from tests.browser.axe import assert_accessible
from tools.screenshots.pages import PAGES
from tools.screenshots.visit import visit

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@every_page
def test_a_page_loads_without_a_fault_and_fits_every_window(tab, page):
    visit(tab.page, tab.desk, page)
    tab.shot(page.name, whole=page.whole)


@every_page
def test_a_page_is_accessible(open_tab, page):
    tab = open_tab(bypass_csp=True)
    visit(tab.page, tab.desk, page)
    assert_accessible(tab.page, exclude=page.foreign)


def test_a_planted_fault_of_accessibility_is_named(open_tab):
    tab = open_tab(bypass_csp=True)
    tab.open("/confirm")
    tab.page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    with pytest.raises(AssertionError, match="1280-light: label"):
        assert_accessible(tab.page)

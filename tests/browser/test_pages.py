"""Every page loads without a fault, for whom it is made, and fits: light and dark, wide and narrow, with any aid."""

import pytest

from tests.browser.axe import assert_accessible
from tools.screenshots.pages import PAGES
from tools.screenshots.visit import visit

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@every_page
def test_a_page_loads_without_a_fault_fits_every_window_and_is_accessible(tab, page):
    visit(tab.page, tab.desk, page)
    tab.shot(page.name, whole=page.whole)
    assert_accessible(tab.page, exclude=page.foreign)


def test_a_planted_fault_of_accessibility_is_named(tab):
    tab.open("/confirm")
    tab.page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    with pytest.raises(AssertionError, match="1280-dark: label"):
        assert_accessible(tab.page)

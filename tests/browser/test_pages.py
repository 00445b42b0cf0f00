"""Every page loads without a fault, for whom it is made, and fits: light and dark, wide and narrow, with any aid."""

import pytest

from tests.browser.axe import assert_accessible
from tests.browser.tab import Tab
from tools.screenshots.pages import PAGES, Page

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def open_page(tab: Tab, page: Page) -> None:
    """Opens a page as the one whom it is made for, and waits until it is complete."""
    path = page.path_for(tab.desk)
    if page.role:
        tab.open_as(page.role, path)
    else:
        tab.open(path)
    tab.page.locator(page.ready).first.wait_for()


@every_page
def test_a_page_loads_without_a_fault_and_fits_every_window(tab, page):
    open_page(tab, page)
    tab.shot(page.name, whole=page.whole)


@every_page
def test_a_page_is_accessible(open_tab, page):
    tab = open_tab(bypass_csp=True)
    open_page(tab, page)
    assert_accessible(tab.page, exclude=page.foreign)


def test_a_planted_fault_of_accessibility_is_named(open_tab):
    tab = open_tab(bypass_csp=True)
    tab.open("/confirm")
    tab.page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    with pytest.raises(AssertionError, match="1280-light: label"):
        assert_accessible(tab.page)

"""axe-core, which finds what keeps people with a screen reader, few colours or no mouse out."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tools.screenshots.browser import LOOKS, show

# What WCAG 2.2 asks for at levels A and AA.
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
# A look costs half a second, so each size and each colour scheme is looked at once.
SEEN = (LOOKS[1], LOOKS[2])
_axe = Axe()


def assert_accessible(page: Page, exclude: tuple[str, ...] = ()) -> None:
    """Raises AssertionError that names each violation of WCAG 2.2 AA, wide in dark and narrow in light.

    axe-core comes through the debugger, so it works within the policy of the page. `exclude` selects what is not ours.
    """
    context: Any = {"exclude": [[selector] for selector in exclude]} if exclude else None
    for look in SEEN:
        show(page, look)
        violations = _axe.run(page, context, RULES).response["violations"]
        assert not violations, "\n".join(_lines(look.name, violations))


def _lines(look: str, violations: list[dict[str, Any]]) -> list[str]:
    return [
        f"{look}: {violation['id']} ({violation['help']}): {' '.join(node['target'])}: {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]

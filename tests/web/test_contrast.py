"""The colours of the console: every text and every edge can be told from its ground, in light and dark (WCAG 2.2, AA)."""

import re

import pytest

from web.assets import HERE

TOKENS = (HERE / "styles" / "tokens.css").read_text("utf-8")
BLOCKS = {
    "light": r"^:root \{(.*?)^\}",
    "dark by the system": r"^@media \(prefers-color-scheme: dark\) \{\s*:root:not\(\.light\) \{(.*?)^  \}",
    "dark by choice": r"^:root\.dark \{(.*?)^\}",
}
GROUNDS = ("paper", "card", "sunk")
CHIPS = ("red", "amber", "green", "blue", "violet", "grey")
# Text needs 4.5 to 1 (success criterion 1.4.3).
TEXTS = [
    *((text, ground) for text in ("ink", "soft", "accent") for ground in (*GROUNDS, "accent-bg")),
    *((text, "note-bg") for text in ("ink", "soft")),
    *((text, ground) for text in ("danger", "red") for ground in ("paper", "card")),
    *((text, f"{chip}-bg") for chip in CHIPS for text in (chip, "ink")),
    ("paper", "ink"),
    ("on-accent", "accent"),
    ("on-danger", "danger"),
]
# The edge of a control, the ring of the focus and a line of a chart need 3 to 1 (1.4.11).
SHAPES = [
    *(("edge", ground) for ground in GROUNDS),
    *((f"series-{number}", "card") for number in range(1, 6)),
]
PAIRS = [(*pair, 4.5) for pair in TEXTS] + [(*pair, 3.0) for pair in SHAPES]
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|color)a?\(", re.IGNORECASE)


def colours(theme: str) -> dict[str, str]:
    """The colours of a theme by name, as `#rrggbb`."""
    block = re.search(BLOCKS[theme], TOKENS, re.MULTILINE | re.DOTALL)
    assert block, f"tokens.css has no block of colours that are {theme}"
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[1]))


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", BLOCKS)
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS)
def test_a_colour_can_be_told_from_its_ground(theme, front, ground, least):
    named = colours(theme)
    ratio = contrast(named[front], named[ground])
    assert ratio >= least, f"--{front} on --{ground} is {ratio:.2f} to 1"


@pytest.mark.parametrize(("front", "ground", "ratio"), [("#000000", "#ffffff", 21.0), ("#6b7479", "#faf7f1", 4.46)])
def test_the_ratio_is_that_of_wcag(front, ground, ratio):
    assert contrast(front, ground) == pytest.approx(ratio, abs=0.01)


def test_dark_is_the_same_by_the_system_and_by_choice():
    assert colours("dark by the system") == colours("dark by choice")
    assert colours("light").keys() == colours("dark by choice").keys()


@pytest.mark.parametrize("path", sorted((HERE / "styles").glob("*.css")), ids=lambda path: path.name)
def test_a_colour_is_named_in_tokens_alone(path):
    """Else a pair is used that is not measured here."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert path.name == "tokens.css" or not COLOUR.search(text), COLOUR.findall(text)

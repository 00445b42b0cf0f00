"""When the names of two companies are taken for the same: because they read alike, or because they look alike.

A key follows from a name alone, so every store makes the same one. No table is known here.
"""

import unicodedata
from functools import cache
from importlib.resources import files

import orjson

from normal_form import is_invisible


def name_key(name: str) -> str:
    """What finds a company by name: letters alike in any case and width, without what cannot be seen; "" for no letter."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(c for c in folded if c.isspace() or not is_invisible(c)).split())


def look_key(name: str) -> str:
    """What keeps a second company of the same look away: the skeleton of Unicode TR 39, in any case; "" for no letter.

    In capitals first, where other scripts' letters look like Latin ones, then in small letters. An i is an l: as capitals
    and in many typefaces nobody tells them apart. Spaces do not count.
    """
    visible = "".join(c for c in unicodedata.normalize("NFKC", name) if not is_invisible(c))
    return _skeleton(_skeleton(visible).casefold()).casefold().replace("i", "l")


def _skeleton(text: str) -> str:
    table = _prototypes()
    replaced = "".join(table.get(c, c) for c in unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFD", replaced)


@cache
def _prototypes() -> dict[str, str]:
    """Each character that looks like another, with what stands for both (confusables.txt of Unicode).

    The library lists pairs in both directions. A character that stands for others has several partners, or is plainer.
    """
    data = orjson.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_bytes())
    partners = {_bare(text): [_bare(other["c"]) for other in others] for text, others in data.items()}
    table = {}
    for text, others in partners.items():
        if len(text) == 1 and len(others) == 1:
            (other,) = others
            stands_for_both = len(other) > 1 or len(partners.get(other, ())) > 1 or other < text
            if stands_for_both:
                table[text] = other
    return table


def _bare(text: str) -> str:
    """The text without the direction marks that the list puts around letters written from the right."""
    return text.strip("\u200e")

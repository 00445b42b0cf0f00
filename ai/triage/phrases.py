"""Finds the phrases of many word lists in one pass over a text, instead of one search for each list.

A phrase is a regular expression that starts with a letter or a digit. At each word only those phrases are tried that may begin
with its first characters.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

BEGINNING = 3  # characters by which phrases are looked up
MOST_BEGINNINGS = 20_000  # that are remembered
_WORD = re.compile(r"\w+|[^\w\s]")
_ATOM = re.compile(r"\(\?<?[!=]|\(\?:|\(\?P<\w+>|\(|\\.|\[[^\]]*\]|.")
_REPEAT = re.compile(r"[?*+]|\{\d*,?\d*\}|")
_LISTED = re.compile(r"\[([^\^\\\]-]+-?)\]")  # a set that lists its characters


@dataclass(frozen=True, slots=True, eq=False)
class PhraseList:
    """Phrases that mean the same for triage. The first of them are `strong`; `signs` are single characters, such as "?"."""

    phrases: tuple[str, ...]
    strong: int = 0
    signs: str = ""


class Match(NamedTuple):
    """The place of a phrase in a text."""

    start: int
    end: int
    strong: bool


class _Candidates(NamedTuple):
    """The phrases that may begin alike, as one pattern with one or two groups for each list."""

    pattern: re.Pattern[str]
    groups: tuple[tuple[PhraseList, int, int], ...]  # the list, its group, and the group of its strong phrases or 0


Found = Mapping[PhraseList, Sequence[Match]]


@dataclass
class PhraseFinder:
    """Finds the phrases of lists. Within a list matches do not overlap, and an earlier phrase is preferred."""

    lists: Sequence[PhraseList]
    _phrases: list[tuple[PhraseList, int]] = field(init=False)  # the list and the place of each phrase in it
    _candidates: dict[str, _Candidates | None] = field(init=False, default_factory=dict)
    _compiled: dict[tuple[int, ...], _Candidates] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._phrases = [(one, place) for one in self.lists for place in range(len(one.phrases) + len(one.signs))]

    @cached_property
    def _by_beginning(self) -> dict[str, set[int]]:
        """The places in _phrases of those with a beginning. Made at first use, so that a start does not wait for it."""
        places: dict[str, set[int]] = {}
        for number, (one, place) in enumerate(self._phrases):
            for beginning in beginnings((*one.phrases, *map(re.escape, one.signs))[place], BEGINNING):
                places.setdefault(beginning, set()).add(number)
        return places

    def find(self, text: str) -> Found:
        """The matches of each list that has any, in the order of the text."""
        found: dict[PhraseList, list[Match]] = {}
        known = self._candidates
        for word in _WORD.finditer(text):
            start = word.start()
            beginning = text[start : start + BEGINNING]
            try:
                candidates = known[beginning]
            except KeyError:
                candidates = self._look_up(beginning)
            if candidates is None:
                continue
            match = candidates.pattern.match(text, start)
            if match is None or not match.lastindex:
                continue
            for one, group, strong in candidates.groups:
                end = match.end(group)
                if end < 0:
                    continue
                matches = found.setdefault(one, [])
                if not matches or matches[-1].end <= start:
                    matches.append(Match(start, end, strong > 0 and match.end(strong) >= 0))
        return found

    def _look_up(self, beginning: str) -> _Candidates | None:
        keys = {beginning[:length] for length in range(len(beginning) + 1)} | {"0" * beginning[:1].isdecimal()}
        numbers = tuple(sorted(set().union(*(self._by_beginning.get(key, ()) for key in keys))))
        if numbers and numbers not in self._compiled:
            self._compiled[numbers] = self._compile(numbers)
        if len(self._candidates) >= MOST_BEGINNINGS:
            self._candidates.clear()
        candidates = self._candidates[beginning] = self._compiled.get(numbers)
        return candidates

    def _compile(self, numbers: Sequence[int]) -> _Candidates:
        places: dict[PhraseList, list[int]] = {}
        for number in numbers:
            one, place = self._phrases[number]
            places.setdefault(one, []).append(place)
        patterns, groups, group = [], [], 1
        for one, chosen in places.items():
            patterns.append(f"(?=({_alternatives(one, chosen)})|)")
            has_strong = chosen[0] < one.strong
            groups.append((one, group, group + 1 if has_strong else 0))
            group += 1 + has_strong
        return _Candidates(re.compile("".join(patterns)), tuple(groups))


def _alternatives(one: PhraseList, places: Sequence[int]) -> str:
    """One pattern for some phrases of a list, with a group for the strong ones if there are any."""
    strong = "|".join(one.phrases[place] for place in places if place < one.strong)
    weak = "|".join(one.phrases[place] for place in places if one.strong <= place < len(one.phrases))
    signs = "".join(
        map(re.escape, (one.signs[place - len(one.phrases)] for place in places if place >= len(one.phrases)))
    )
    phrases = "|".join([f"({strong})"] * bool(strong) + [weak] * bool(weak))
    return "|".join([rf"(?:{phrases})(?!\w)"] * bool(phrases) + [f"[{signs}]"] * bool(signs))


def beginnings(pattern: str, most: int) -> set[str]:
    """Texts of up to `most` characters: each match of the pattern begins with one of them. "0" stands for any digit."""
    return set().union(*(_of_branch(branch, most) for branch in _branches(pattern)))


def _of_branch(pattern: str, most: int) -> set[str]:
    if not pattern or not most:
        return {""}
    atom = _ATOM.match(pattern)[0]  # type: ignore[index]  # it matches any character
    whole = atom if atom[0] != "(" else pattern[: _end_of_group(pattern)]
    repeat = _REPEAT.match(pattern, len(whole))[0]  # type: ignore[index]  # it matches nothing as well
    rest = pattern[len(whole) + len(repeat) :]
    if re.fullmatch(r"\(\?<?[!=]|\\b|\^|\$", atom):  # takes no character
        return _of_branch(rest, most)
    after = f"{whole}*{rest}" if repeat not in ("", "?") else rest
    if atom[0] == "(":
        once = set().union(*(_of_branch(branch + after, most) for branch in _branches(whole[len(atom) : -1])))
    elif listed := _LISTED.fullmatch(atom):
        once = {char + more for char in listed[1] for more in _of_branch(after, most - 1)}
    elif atom == r"\d":
        once = {"0"}
    elif atom == "." or atom[0] == "[" or re.fullmatch(r"\\\w", atom):
        once = {""}
    else:
        once = {atom[-1] + more for more in _of_branch(after, most - 1)}
    return once | _of_branch(rest, most) if re.match(r"[?*]|\{0?,", repeat) else once


def _branches(pattern: str) -> Iterator[str]:
    """The parts between the bars that are in no bracket."""
    depth = start = place = 0
    while place < len(pattern):
        atom = _ATOM.match(pattern, place)[0]  # type: ignore[index]  # it matches any character
        depth += (atom[0] == "(") - (atom == ")")
        if atom == "|" and not depth:
            yield pattern[start:place]
            start = place + 1
        place += len(atom)
    yield pattern[start:]


def _end_of_group(pattern: str) -> int:
    depth = place = 0
    while True:
        atom = _ATOM.match(pattern, place)[0]  # type: ignore[index]  # it matches any character
        depth += (atom[0] == "(") - (atom == ")")
        place += len(atom)
        if not depth:
            return place

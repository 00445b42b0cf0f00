"""The names of files that people send: how one is shown, and which endings make a program of it when it is opened."""

import re
import unicodedata

MOST = 200  # characters
UNNAMED = "file"
_HIDDEN_KINDS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # control, direction and zero-width marks, half characters
_FILLERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b-\u180f\ufe00-\ufe0f]")
_RESERVED = re.compile(r'[<>:"|?*]')  # no name of a file on Windows holds them
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_ENDING = 16
# Endings that Windows, macOS or a browser runs, or shows as a page that may hold scripts, when the file is opened.
PROGRAMS = frozenset(
    "action ade adp apk app appimage appref-ms appx appxbundle application asp aspx bat bash bas bundle cer chm class cmd com "
    "command cpl csh deb desktop diagcab dll dmg docm dotm drv dylib elf exe gadget hta htm html htmlz img inf ins inx ipa isu "
    "iso jar jnlp job jse js jsx ksh library-ms lnk mad mde mht mhtml mjs msc msh msi msix msp mst ocx osx out php phtml pif "
    "pkg pl potm ppam ppsm pptm prg ps1 ps1xml ps2 psc1 psd1 psm1 py pyc pyw pyz pyzw rb reg rpm run scf scr sct search-ms "
    "settingcontent-ms sh shb shs shtml shtm sldm slk so svg svgz sys theme tmp url vb vbe vbs vhd vhdx website workflow ws "
    "wsc wsf wsh xbap xht xhtml xlam xll xlsm xltm xpi xsl xslt zsh".split()
)


def clean(name: str) -> str:
    """The name as it is shown: without folders, hidden characters and dots at its ends, at most MOST characters.

    `file` when nothing is left. It is never the name of a file on our disk.
    """
    text = unicodedata.normalize("NFC", name[: 10 * MOST])
    text = re.split(r"[/\\]", text)[-1]
    text = "".join(
        " " if character in "\t\n" else character
        for character in text
        if character in "\t\n" or unicodedata.category(character) not in _HIDDEN_KINDS
    )
    text = _RESERVED.sub("_", _FILLERS.sub("", text))
    text = " ".join(text.split()).strip(". ")
    if _DEVICES.fullmatch(text):
        text = f"_{text}"
    return _shortened(text) or UNNAMED


def _shortened(text: str) -> str:
    if len(text) <= MOST:
        return text
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        return text[:MOST].rstrip(". ")
    return f"{stem[: MOST - len(ending) - 1].rstrip('. ')}.{ending}"


def ending(name: str) -> str:
    """The ending of a clean name without its dot, in lower case and plain characters; "" without one."""
    plain = unicodedata.normalize("NFKC", name).casefold().rstrip(". ")
    return plain.rpartition(".")[2].strip() if "." in plain else ""


def is_program(name: str) -> bool:
    """Whether opening a file of that name would run it, or show it as a page with scripts."""
    return ending(name) in PROGRAMS

"""Which codec a named charset means, as browsers read it: often a larger set than the name says.

Source: the WHATWG Encoding Standard, names and labels.
"""

import codecs
import re

_CHARSET = re.compile(
    r"us-ascii|utf-?8|utf-?16([lb]e)?|latin-?1|iso-?8859-\d+|windows-\d+|windows-31j|cp-?\d+|koi8-[ru]|mac-?(roman|cyrillic)"
    r"|macintosh|shift[-_]?jis|euc-(jp|kr)|ks_c_5601-1987|gb(2312|k|18030)|big5|iso-2022-(jp|kr)",
    re.IGNORECASE,
)
_LARGER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
}
_NAMES = {"windows-31j": "cp932", "macintosh": "mac_roman", "ks_c_5601-1987": "cp949"}


def codec_of(charset: str) -> str:
    """The Python codec of a charset. Raises LookupError for one that is not known."""
    name = charset.strip().lower()
    if name in _NAMES:
        return _NAMES[name]
    if not _CHARSET.fullmatch(name):
        raise LookupError(charset)
    codec = codecs.lookup(name).name
    return _LARGER.get(codec, codec)

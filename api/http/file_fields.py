"""The input field of a file: base64 in JSON, or the file of a form."""

import base64
import io
import re
from typing import Any

from marshmallow import ValidationError, fields

from api.http.fields import THIS_FIELD

_DATA_URL = re.compile(r'"?data:[^,"]{0,200};base64,')
_URL_ALPHABET = str.maketrans("-_", "+/", ' \t\r\n"=')


class FileContent(fields.String):
    """The bytes of a file, as an open file.

    In JSON it is base64, also as a data URL (the function JSON() of Power Apps) or as the object with `$content` of Power
    Automate. In a form it is the file itself.
    """

    def __init__(self, *, about: str, required: bool = True) -> None:
        messages: dict[str, Any] = {
            "required": f"{THIS_FIELD} is required: the file in base64, or a form with the file."
        }
        metadata = {"description": about, "format": "byte"}
        super().__init__(required=required, metadata=metadata, error_messages=messages)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if hasattr(value, "read"):
            return value
        try:
            return io.BytesIO(decoded(value))
        except ValueError:
            raise ValidationError(f"{attr} must be the file in base64; this is not base64.") from None


def decoded(value: Any) -> bytes:
    """The bytes of a file as it stands in JSON. Raises ValueError."""
    if isinstance(value, dict):
        value = value.get("$content")
    value = value if isinstance(value, str) else "?"  # which is no base64
    if prefix := _DATA_URL.match(value):
        value = value[prefix.end() :]
    text = value.translate(_URL_ALPHABET)
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)

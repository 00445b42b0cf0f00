"""Input field types: each accepts what people and low-code tools send and returns the stored form.

Error messages say what is accepted.
"""

import re
from collections.abc import Sequence
from typing import Any

from email_validator import EmailNotValidError
from marshmallow import Schema, ValidationError, fields

from api.http.field_names import MAX_FIELDS, check_field_names, is_empty, load_fields
from core import normal_form, plain_text, timestamps
from core.mailboxes import bracketed_address
from core.models import LIMITS, TEAMS

_WHOLE = re.compile(r"(-?[0-9]{1,12})(?:\.0{1,12})?")
_MAX_EXACT = 2**53  # whole numbers up to here are exact in every client
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,30})?")
_LOST_PLUS = re.compile(r"(:[0-9]{2}(?:\.[0-9]+)?) ([0-9]{2}(?::?[0-9]{2})?)$")


THIS_FIELD = "This field"  # parsing.py replaces it with the name of the field


class Text(fields.String):
    """Text of at most `most` characters, in the form of core/plain_text.py."""

    def __init__(self, most: int, *, lines: bool = False, **kwargs: Any) -> None:
        self.most = most
        self.lines = lines
        super().__init__(**_with_metadata(kwargs, maxLength=most))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        name = attr or "value"
        if not isinstance(value, str):
            raise ValidationError(f"{name} must be text.")
        try:
            text = plain_text.clean(value, lines=self.lines)
        except ValueError:
            raise ValidationError(f"{name} holds a character that is not text (NUL or half a character).") from None
        if len(text) > self.most:
            raise ValidationError(f"{name} may have at most {self.most} characters; this has {len(text)}.")
        return text


class CommaList(Text):
    """Several texts with commas between, as one text."""

    in_parts = True  # a query may name the parameter once for each text (parsing.py)


class Id(Text):
    """An id in the caller's own systems; a whole number is taken as its digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and abs(value) <= _MAX_EXACT and value == int(value):
            value = str(int(value))
        return super()._deserialize(value, attr, data, **kwargs)


class Person(Id):
    """A person, by e-mail address, name or id in the caller's own systems; of `Bob <bob@example.com>` the address."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not ("@" in text and text.endswith(">")):
            return text
        try:
            return normal_form.valid_email(bracketed_address(text))
        except EmailNotValidError:
            raise ValidationError(f"{attr} must be a name or an e-mail address, like bob@example.com.") from None


class Topic(Text):
    """A company's own label for many tickets; it must not hold an e-mail address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(LIMITS["tag"], **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        topic = super()._deserialize(value, attr, data, **kwargs)
        if "@" in topic:
            raise ValidationError(f"{attr} is a label for many tickets and must not hold an address.")
        return topic


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class Email(Text):
    """An e-mail address (RFC 5321), normalized."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(LIMITS["email"], metadata={"format": "email"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            text = normal_form.trimmed(value) if isinstance(value, str) else value
            # Checked before `clean`: a line break within an address could inject mail headers.
            if isinstance(text, str) and not text.isprintable() and any(c < " " or c == "\x7f" for c in text):
                raise EmailNotValidError
            return normal_form.valid_email(bracketed_address(super()._deserialize(text, attr, data, **kwargs)))
        except EmailNotValidError:
            raise ValidationError(f"{attr} must be an e-mail address, like ada@example.com.") from None


class Password(fields.String):
    """A password, exactly as it was typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_with_metadata(kwargs, maxLength=LIMITS["password"], format="password"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or len(value) > LIMITS["password"] or "\0" in value or _has_surrogate(value):
            raise ValidationError(f"{attr} must be text of at most {LIMITS['password']} characters.")
        return value


class Choice(fields.String):
    """One of the listed words; any case, spaces and hyphens for underscores. `also` maps further words to listed ones."""

    def __init__(self, choices: Sequence[str], *, also: dict[str, str] | None = None, **kwargs: Any) -> None:
        self.choices = {_plain(choice): choice for choice in choices}
        self.accepted = list(choices)
        self.also = also or {}
        super().__init__(**_with_metadata(kwargs, enum=list(choices)))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return self.one(value, attr or "value")

    def one(self, value: Any, name: str) -> str:
        """The listed word that `value` means. Raises ValidationError."""
        word = _plain(value) if isinstance(value, str) else ""
        word = _plain(self.also.get(word, word))
        if word not in self.choices:
            raise ValidationError(f"{name} must be one of: {', '.join(self.accepted)}.")
        return self.choices[word]


def _plain(word: str) -> str:
    """A word in lower case, with underscores for spaces and hyphens."""
    return word.strip().lower().replace(" ", "_").replace("-", "_")


class TeamName(Text):
    """A team of the company, by key or name. The service says whether it exists (services/routing/teams.py)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(LIMITS["name"], **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return _team(super()._deserialize(value, attr, data, **kwargs))


class TeamNames(TeamName):
    """A comma list of teams."""

    in_parts = True

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        return [_team(part) for part in text.split(",") if part.strip()] or [text]


def _team(text: str) -> str:
    """A built-in team in any case, with spaces and hyphens for underscores, is its key; other text stays."""
    word = _plain(text)
    return word if word in TEAMS else text.strip()


class Choices(Choice):
    """A comma list of the listed words; `groups` are names for several of them."""

    in_parts = True

    def __init__(
        self, choices: Sequence[str], *, groups: dict[str, Sequence[str]] | None = None, **kwargs: Any
    ) -> None:
        self.groups = groups or {}
        super().__init__(choices, **kwargs)
        self.accepted += self.groups
        self.metadata = {name: value for name, value in self.metadata.items() if name != "enum"}
        word = f"({'|'.join(self.accepted)})"
        self.metadata["pattern"] = f"^{word}(,{word})*$"
        if isinstance(self.load_default, list):
            self.metadata["default"] = ",".join(self.load_default)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:  # type: ignore[override]
        words: list[str] = []
        for word in str(value).split(","):
            if word.strip():
                words.extend(self.groups.get(word.strip().lower()) or [self.one(word, attr or "value")])
        return words or [self.one(value, attr or "value")]


class Moment(Text):
    """A time (RFC 3339; a date alone is its first moment, in UTC)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(60, metadata={"format": "date-time"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        # "+" in a query string arrives as a space; only an offset can stand there.
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return timestamps.read(_LOST_PLUS.sub(r"\1+\2", text))
        except ValueError:
            raise ValidationError(
                f"{attr} must be a time like 2026-01-31T08:00:00Z or a date like 2026-01-31."
            ) from None


class Number(fields.Integer):
    """A whole number within bounds; 2.0 and digits as text are taken, as clients and query strings write them."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        self.least, self.most = least, most
        super().__init__(**_with_metadata(kwargs, minimum=least, maximum=most))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        text = str(value).strip() if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
        whole = _WHOLE.fullmatch(text)
        if not whole or not self.least <= int(whole[1]) <= self.most:
            raise ValidationError(f"{attr} must be a whole number from {self.least} to {self.most}.")
        return int(whole[1])


class TicketNumber(Number):
    """The number of a ticket; #7 is 7."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        number = value.strip().removeprefix("#") if isinstance(value, str) else value
        return super()._deserialize(number, attr, data, **kwargs)


class Decimal(fields.Float):
    """A number within bounds, rounded to so many places; digits as text are accepted, as text boxes send them."""

    def __init__(self, least: float, most: float, *, places: int, **kwargs: Any) -> None:
        self.least, self.most, self.places = least, most, places
        super().__init__(**_with_metadata(kwargs, minimum=least, maximum=most))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        plain = isinstance(value, int | float | str) and not isinstance(value, bool)
        number = plain and _DECIMAL.fullmatch(str(value).strip())
        if not number or not self.least <= float(value) <= self.most:
            raise ValidationError(f"{attr} must be a number from {self.least:.1f} to {self.most:.1f}.")
        return round(float(value), self.places)


class Urgency(Decimal):
    """1.0 to 5.0, in tenths."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(1, 5, places=1, **kwargs)


class Yes(fields.Boolean):
    """true or false."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_with_metadata(kwargs))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        word = value.strip().lower() if isinstance(value, str) else value
        if word in (True, "true") or word in (False, "false"):
            return word in (True, "true")
        raise ValidationError(f"{attr} must be true or false.")


class Words(fields.List[Any]):
    """A list of short texts, each once, in their order."""

    def __init__(self, most: int, word: fields.Field[Any], **kwargs: Any) -> None:
        self.most = most
        super().__init__(word, **_with_metadata(kwargs, maxItems=most))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > self.most:
            raise ValidationError(f"{attr} must be a list of at most {self.most} texts.")
        texts: dict[Any, None] = {}
        errors: dict[int, Any] = {}
        for place, item in enumerate(value):
            if item is None or (isinstance(item, str) and not item.strip()):
                continue
            try:
                texts[self.inner.deserialize(item, f"{attr}[{place}]", data, **kwargs)] = None
            except ValidationError as error:
                errors[place] = error.messages
        if errors:
            raise ValidationError(errors)
        return list(texts)


class Things(fields.List[Any]):
    """A list of objects, each checked like a body: empty values are dropped, unknown names refused."""

    def __init__(self, schema: type[Schema], most: int, *, least: int = 0, **kwargs: Any) -> None:
        self.least, self.most = least, most
        bounds = {"minItems": least, "maxItems": most} if least else {"maxItems": most}
        super().__init__(fields.Nested(schema), **_with_metadata(kwargs, **bounds))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        objects = (
            [(place, one) for place, one in enumerate(value) if not is_empty(one)] if isinstance(value, list) else []
        )
        only_empty = isinstance(value, list) and bool(value) and not objects
        if not isinstance(value, list) or only_empty or not self.least <= len(objects) <= self.most:
            few = f"{self.least} to {self.most:,}" if self.least else f"at most {self.most:,}"
            raise ValidationError(f"{attr} must be a list of {few} objects.")
        loaded: list[Any] = []
        errors: dict[int, Any] = {}
        for place, one in objects:
            try:
                loaded.append(self._one(one, f"{attr}[{place}]"))
            except ValidationError as error:
                errors[place] = error.messages
            if len(errors) >= MAX_FIELDS:
                break  # the rest is not checked
        if errors:
            raise ValidationError(dict(errors))
        return loaded

    def _one(self, value: Any, name: str) -> Any:
        return _load_object(self.inner.schema, value, name)  # type: ignore[attr-defined]


class Thing(fields.Nested):
    """An object that is checked like a body. With `keep` the value is the object as it was sent, without empty fields."""

    def __init__(self, schema: type[Schema], *, keep: bool = False, **kwargs: Any) -> None:
        self.keep = keep
        super().__init__(schema, **_with_metadata(kwargs))

    def _deserialize(self, value: Any, attr: str | None, data: Any, partial: Any = None, **kwargs: Any) -> Any:
        loaded = _load_object(self.schema, value, str(attr))
        return {name: _as_sent(one) for name, one in value.items() if not is_empty(one)} if self.keep else loaded


def _as_sent(value: Any) -> Any:
    """A value of a query as its text, so that it is read as one later."""
    return str(value).lower() if isinstance(value, int) else value


def _load_object(schema: Any, value: Any, name: str) -> Any:
    """An object inside a body: empty values are dropped, unknown names refused. Raises ValidationError."""
    if not isinstance(value, dict):
        raise ValidationError(f"{name} must be an object with {', '.join(schema.load_fields)}.")
    values, errors = check_field_names(value, schema)
    if not errors:
        return load_fields(schema, values)
    raise ValidationError({**schema.validate(values), **{error.field: [error.message] for error in errors}})


def _with_metadata(kwargs: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """`about="…"` and the field's own facts as its documentation; the standard message for a missing field."""
    about = kwargs.pop("about", "")
    kwargs["metadata"] = {**({"description": about} if about else {}), **facts, **kwargs.get("metadata", {})}
    if kwargs.get("required"):
        kwargs["error_messages"] = {"required": f"{THIS_FIELD} is required."}
    return kwargs

"""Serializers and fields every endpoint builds on: nothing unknown in, exact numbers both ways."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

T = TypeVar("T")

LARGEST_ID = 2**63 - 1
MOST_LINES = 500


class Strict(serializers.Serializer[Any]):
    """Input. An unknown field is an error: a misspelt one must not be ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in set(data) - set(self.fields))
            if unknown:
                message = _("There is no such field.")
                raise serializers.ValidationError(
                    {
                        name: serializers.ErrorDetail(str(message), "unknown_field")
                        for name in unknown
                    }
                )
        return super().to_internal_value(data)


class Shown(serializers.Serializer[T]):
    """Output: names every member it shows; reads model fields or attributes."""


class IdField(serializers.IntegerField):
    """The id of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"min_value": 1, "max_value": LARGEST_ID} | options))


class ExactField(serializers.DecimalField):
    """A quantity or an amount of money: a string, never a float."""

    default_error_messages = {"not_text": _('Send numbers as text, e.g. "12.5".')}

    def __init__(self, **options: Any) -> None:
        exact = {"max_digits": 18, "decimal_places": 6, "normalize_output": True}
        super().__init__(**(exact | options))

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("not_text")
        return super().to_internal_value(data)


class QuantityField(ExactField):
    """A quantity in the product's base unit, as text."""


class MoneyField(ExactField):
    """An amount in the tenant's currency, as text."""


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectField(serializers.JSONField):
    """A JSON object of plain values without NUL characters, at most 20 kB."""

    default_error_messages = {
        "not_object": _("Send an object."),
        "too_large": _("This object is too large."),
        "null_character": _("NUL characters are not allowed."),
    }

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("not_object")
        text = json.dumps(data)
        if len(text) > 20_000:
            self.fail("too_large")
        if "\\u0000" in text or "\\ud8" in text.lower():
            self.fail("null_character")
        return data


class InstantField(serializers.DateTimeField):
    """A moment with its offset from UTC: without one nobody knows which it is."""

    default_error_messages = {"naive": _("Give the moment with its time zone, e.g. ...T08:30:00Z.")}

    def to_internal_value(self, value: Any) -> Any:
        if not (isinstance(value, str) and re.search(r"(Z|[+-]\d\d:?\d\d)$", value.strip())):
            self.fail("naive")
        return super().to_internal_value(value)


class ReasonField(serializers.Field[Any, str, str, Any]):
    """A member of an integer enumeration, by its name in small letters: ``receipt``."""

    default_error_messages = {"unknown": _("One of: {names}.")}

    def __init__(self, *, choices: Iterable[enum.IntEnum], **options: Any) -> None:
        self.by_name = {choice.name.lower(): choice for choice in choices}
        self.names = {choice.value: name for name, choice in self.by_name.items()}
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data not in self.by_name:
            self.fail("unknown", names=", ".join(self.by_name))
        return self.by_name[data]

    def to_representation(self, value: Any) -> str:
        return self.names[int(value)]


def many(line: type[Strict], *, least: int = 1, **options: Any) -> serializers.ListSerializer[Any]:
    """Return a field of several lines, at most ``MOST_LINES``."""
    return serializers.ListSerializer(
        child=line(), min_length=least, max_length=MOST_LINES, allow_empty=least == 0, **options
    )

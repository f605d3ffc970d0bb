"""Serializers and fields every endpoint builds on: nothing unknown in, exact numbers both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

T = TypeVar("T")

LARGEST_ID = 2**63 - 1


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

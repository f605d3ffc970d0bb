"""Tenant: one company, its place in the world and its choices."""

from __future__ import annotations

import zoneinfo
from functools import cache

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


@cache
def known_time_zones() -> frozenset[str]:
    """Return the names in the time zone database: 600 files, so they are read once."""
    return frozenset(zoneinfo.available_timezones())


def validate_time_zone(name: str) -> None:
    """Refuse a name that is not in the time zone database."""
    if name not in known_time_zones():
        raise ValidationError(
            _("%(name)s is not a time zone, e.g. Europe/Berlin."), params={"name": name}
        )


class Tenant(models.Model):
    """The owner of everything else. Found by its ``slug`` in the path."""

    slug = models.SlugField(
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z][a-z0-9-]*$", _("Small letters, digits and dashes only."))
        ],
    )
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    currency = models.CharField(
        max_length=3,
        default="EUR",
        validators=[RegexValidator(r"^[A-Z]{3}$", _("An ISO 4217 code, e.g. EUR."))],
    )
    country = models.CharField(
        max_length=2,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{2}$", _("An ISO 3166 code, e.g. DE."))],
        help_text=_("Whose public holidays the forecast knows."),
    )
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

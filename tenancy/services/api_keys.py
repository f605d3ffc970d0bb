"""API keys: made once, shown once, recognised by their hash, revoked for ever."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenancy.errors import Invalid, NotFound, Problem
from tenancy.models import ApiKey, Role
from tenancy.permissions import Permission, require
from tenancy.scope import Actor, recognise
from tenancy.services import audit

PREFIX = "sc_"
LONGEST_DAYS = 366
USED_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class NewApiKey:
    """A key and its secret, which is stored nowhere."""

    api_key: ApiKey
    secret: str


def create_api_key(
    *, name: str, role: str, scopes: list[str], expires_at: dt.datetime | None = None
) -> NewApiKey:
    """Create a key that may do what both its role and its scopes allow; return the secret once.

    Without ``expires_at`` it lasts a year. Raises ``Invalid``, ``PermissionRefused``.
    """
    actor = require(Permission.MANAGE_KEYS)
    now = timezone.now()
    expires_at = expires_at or now + dt.timedelta(days=365)
    _check(actor, name=name, role=role, scopes=scopes, lifetime=expires_at - now)
    prefix = PREFIX + secrets.token_hex(4)
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    api_key = ApiKey.objects.create(
        name=name.strip(),
        prefix=prefix,
        key_hash=_hash(secret),
        role=role,
        scopes=sorted(set(scopes)),
        created_by_id=actor.id if actor.kind == "user" else None,
        expires_at=expires_at,
    )
    audit.record("api_key.created", api_key, name=name, prefix=prefix, role=role, scopes=scopes)
    return NewApiKey(api_key=api_key, secret=secret)


def _check(
    actor: Actor, *, name: str, role: str, scopes: list[str], lifetime: dt.timedelta
) -> None:
    problems = []
    if not name.strip():
        problems.append(Problem("name", "required", _("Give the key a name.")))
    if role not in Role.values:
        problems.append(Problem("role", "unknown", _("There is no such role.")))
    elif list(Role.values).index(role) > list(Role.values).index(actor.role or Role.VIEWER):
        problems.append(Problem("role", "too_high", _("A key cannot do more than you can.")))
    unknown = sorted(set(scopes) - {permission.value for permission in Permission})
    if unknown or not scopes:
        message = _("Choose at least one of the known rights.")
        problems.append(Problem("scopes", "unknown", message))
    if not dt.timedelta(0) < lifetime <= dt.timedelta(days=LONGEST_DAYS):
        message = _("A key ends between now and a year from now.")
        problems.append(Problem("expires_at", "out_of_range", message))
    if problems:
        raise Invalid(problems)


def revoke_api_key(*, api_key_id: int) -> ApiKey:
    """End a key at once and for ever; a key that is revoked already stays as it is.

    Raises ``NotFound``, ``PermissionRefused``.
    """
    require(Permission.MANAGE_KEYS)
    api_key: ApiKey | None = ApiKey.objects.select_for_update().filter(pk=api_key_id).first()
    if api_key is None:
        raise NotFound("API key", api_key_id)
    if api_key.revoked_at is None:
        api_key.revoked_at = timezone.now()
        api_key.save(update_fields=["revoked_at"])
        audit.record("api_key.revoked", api_key, name=api_key.name, prefix=api_key.prefix)
    return api_key


def recognise_api_key(secret: str) -> ApiKey | None:
    """Make the key of this secret the active actor; None when it is unknown, expired or revoked."""
    now = timezone.now()
    alive = Q(expires_at=None) | Q(expires_at__gt=now)
    api_key = ApiKey.objects.filter(alive, key_hash=_hash(secret), revoked_at=None).first()
    if api_key is None:
        return None
    if api_key.last_used_at is None or now - api_key.last_used_at > USED_EVERY:
        # a slow request of the same key may hold the row: nobody waits for a time stamp
        free = ApiKey.objects.select_for_update(skip_locked=True).filter(pk=api_key.pk)
        ApiKey.objects.filter(pk__in=free.values("pk")).update(last_used_at=now)
    recognise(
        Actor(
            kind="api_key",
            id=api_key.pk,
            label=f"{api_key.name} ({api_key.prefix})",
            role=api_key.role,
            scopes=frozenset(api_key.scopes),
        )
    )
    return api_key


def _hash(secret: str) -> str:
    # 256 random bits need no slow hash and no salt
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()

"""How often: a limit a minute for each caller and for each tenant, counted in the cache."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import Throttled

from tenancy.scope import active_scope

WINDOW_SECONDS = 60


@dataclass(frozen=True)
class _Limit:
    name: str
    most: int


def throttle() -> None:
    """Count this request; raise ``Throttled`` with the seconds to wait when a limit is passed.

    A cache that is down limits nobody: an outage of Valkey must not stop stock movements.
    """
    scope = active_scope()
    limits = (
        _Limit(f"{scope.actor.kind}:{scope.actor.id}", settings.API_CALLS_PER_MINUTE),
        _Limit("all", settings.API_TENANT_CALLS_PER_MINUTE),
    )
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    for limit in limits:
        if _count(f"throttle:{scope.tenant.pk}:{limit.name}:{window}") > limit.most:
            raise Throttled(wait=WINDOW_SECONDS - now % WINDOW_SECONDS)


def _count(key: str) -> int:
    try:
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        return int(cache.incr(key))
    except ValueError:  # the key went away in between
        return 1
    except Exception as error:  # noqa: BLE001 - see throttle
        structlog.get_logger().warning("throttle_unavailable", error=str(error))
        return 0

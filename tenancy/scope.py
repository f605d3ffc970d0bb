"""The one door to tenant data: ``tenant_scope`` opens a transaction that belongs to one tenant.

Middleware, API, admin, tasks, commands, exports and webhooks all enter here. The scope sets the
PostgreSQL setting ``app.tenant_id`` (row level security reads it) and the context variable that the
ORM fence reads. Outside a scope tenant models raise ``NoTenantScope``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import structlog
from django.db import OperationalError, connection, transaction

if TYPE_CHECKING:
    from tenancy.models import Tenant

T = TypeVar("T")
ActorKind = Literal["user", "api_key", "system", "anonymous"]

RETRYABLE_SQLSTATES = {"40001", "40P01"}
MOST_ATTEMPTS = 5


class NoTenantScope(RuntimeError):
    """Tenant data was touched while no tenant was active."""


class WrongTenant(RuntimeError):
    """A row or a nested scope belongs to another tenant than the active one."""


@dataclass(frozen=True)
class Actor:
    """Who acts: shown in the audit trail, and the role that rights are checked against."""

    kind: ActorKind
    id: int | None = None
    label: str = ""
    role: str | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def system(cls, label: str) -> Actor:
        """Return the actor of unattended work (commands, jobs), which may do everything."""
        return cls(kind="system", label=label, role="owner")

    @classmethod
    def anonymous(cls) -> Actor:
        """Return the actor of a request before anybody has been recognised; it may do nothing."""
        return cls(kind="anonymous", label="anonymous")


@dataclass(frozen=True)
class Scope:
    tenant: Tenant
    actor: Actor
    _known: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, read: Callable[[], T]) -> T:
        """Return what ``read`` returns, read once: it is forgotten when the scope ends."""
        if name not in self._known:
            self._known[name] = read()
        found: T = self._known[name]
        return found


_scope: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)
_identity: ContextVar[int | None] = ContextVar("identity_scope", default=None)


def active_scope() -> Scope:
    """Return the active scope; raise ``NoTenantScope`` when there is none."""
    scope = _scope.get()
    if scope is None:
        raise NoTenantScope("No tenant is active: open tenant_scope(tenant, actor=...) first.")
    return scope


def acting() -> Actor | None:
    """Return the actor of the active scope, or None outside any."""
    scope = _scope.get()
    return None if scope is None else scope.actor


def active_tenant_id() -> int:
    """Return the id of the active tenant; raise ``NoTenantScope`` when there is none."""
    return int(active_scope().tenant.pk)


def active_identity() -> int:
    """Return the id of the user of the active identity scope."""
    user_id = _identity.get()
    if user_id is None:
        raise NoTenantScope("No identity is active: open identity_scope(user_id) first.")
    return user_id


def _set_local(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


@contextmanager
def tenant_scope(tenant: Tenant, *, actor: Actor) -> Iterator[Scope]:
    """Open a transaction in which only ``tenant``'s rows exist.

    Nested scopes of the same tenant share the transaction (a savepoint); a nested scope of another
    tenant raises ``WrongTenant``, so that no code can wander from one tenant into the next.
    """
    outer = _scope.get()
    if outer is not None and outer.tenant.pk != tenant.pk:
        raise WrongTenant(f"tenant {outer.tenant.pk} is active, {tenant.pk} was asked for")
    scope = Scope(tenant=tenant, actor=actor)
    with transaction.atomic():
        if outer is None:
            _set_local("app.tenant_id", str(tenant.pk))
        token = _scope.set(scope)
        try:
            yield scope
        finally:
            _scope.reset(token)
            _forget_setting(outer)


def _forget_setting(outer: Scope | None) -> None:
    """Clear the setting when an enclosing transaction (a test's) would keep it alive."""
    usable = not (connection.needs_rollback or connection.closed_in_transaction)
    if outer is None and usable and len(connection.savepoint_ids) > 0:
        _set_local("app.tenant_id", "")


def recognise(actor: Actor) -> None:
    """Continue as another actor until the scope ends (the API, once a key is recognised)."""
    _scope.set(Scope(tenant=active_scope().tenant, actor=actor))


@contextmanager
def identity_scope(user_id: int) -> Iterator[None]:
    """Open a transaction in which a user's own memberships, of all tenants, can be read."""
    with transaction.atomic():
        _set_local("app.user_id", str(user_id))
        token = _identity.set(user_id)
        try:
            yield
        finally:
            _identity.reset(token)
            if not connection.needs_rollback and len(connection.savepoint_ids) > 0:
                _set_local("app.user_id", "")


def run_in_scope(tenant: Tenant, actor: Actor, work: Callable[[], T]) -> T:
    """Run ``work`` in a tenant scope; after a deadlock the whole transaction is repeated.

    At most five attempts with jitter. Inside an outer transaction nothing can be repeated, so the
    error goes up to whoever owns it.
    """
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            with tenant_scope(tenant, actor=actor):
                return work()
        except OperationalError as error:
            if not is_retryable(error) or connection.in_atomic_block or attempt == MOST_ATTEMPTS:
                raise
            structlog.get_logger().warning("transaction_retried", attempt=attempt, tenant=tenant.pk)
            time.sleep(random.uniform(0.005, 0.05) * 2**attempt)  # noqa: S311  jitter, not a secret
    raise AssertionError("unreachable")


def is_retryable(error: BaseException) -> bool:
    """Tell whether PostgreSQL asks for the whole transaction to be repeated."""
    return getattr(error.__cause__, "sqlstate", None) in RETRYABLE_SQLSTATES

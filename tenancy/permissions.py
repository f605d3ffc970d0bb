"""Who may do what: one table. Services call ``require``; pages use it to show or hide."""

from __future__ import annotations

from enum import StrEnum

from tenancy.scope import Actor, active_scope

VIEWER = frozenset({"viewer", "operator", "planner", "manager", "owner"})
OPERATOR = frozenset({"operator", "planner", "manager", "owner"})
PLANNER = frozenset({"planner", "manager", "owner"})
MANAGER = frozenset({"manager", "owner"})
OWNER = frozenset({"owner"})


class Permission(StrEnum):
    READ = "read"
    FLOOR_WORK = "floor_work"
    PLAN = "plan"
    BUY = "buy"
    SELL = "sell"
    EDIT_CATALOG = "edit_catalog"
    APPROVE = "approve"
    ADJUST = "adjust"
    IMPORT = "import"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_KEYS = "manage_keys"
    READ_AUDIT = "read_audit"
    OWN = "own"


ROLES_ALLOWED: dict[Permission, frozenset[str]] = {
    Permission.READ: VIEWER,
    Permission.FLOOR_WORK: OPERATOR,
    Permission.PLAN: PLANNER,
    Permission.BUY: PLANNER,
    Permission.SELL: PLANNER,
    Permission.EDIT_CATALOG: PLANNER,
    Permission.APPROVE: MANAGER,
    Permission.ADJUST: MANAGER,
    Permission.IMPORT: MANAGER,
    Permission.MANAGE_MEMBERS: MANAGER,
    Permission.MANAGE_KEYS: MANAGER,
    Permission.READ_AUDIT: MANAGER,
    Permission.OWN: OWNER,
}


class PermissionRefused(Exception):
    """The actor's role does not allow this; ``permission`` says what was missing."""

    def __init__(self, permission: Permission, actor: Actor) -> None:
        self.permission = permission
        self.actor = actor
        super().__init__(f"{actor.label or actor.kind} ({actor.role}) may not {permission}")


def allows(actor: Actor, permission: Permission) -> bool:
    """Tell whether the actor may. An API key needs the scope as well as the role."""
    if actor.role not in ROLES_ALLOWED[permission]:
        return False
    return actor.kind != "api_key" or permission.value in actor.scopes


def require(permission: Permission) -> Actor:
    """Return the active actor; raise ``PermissionRefused`` when it may not."""
    actor = active_scope().actor
    if not allows(actor, permission):
        raise PermissionRefused(permission, actor)
    return actor


def require_one(*permissions: Permission) -> Actor:
    """Return the active actor when it may do one of them; else raise for the first."""
    actor = active_scope().actor
    if not any(allows(actor, permission) for permission in permissions):
        raise PermissionRefused(permissions[0], actor)
    return actor

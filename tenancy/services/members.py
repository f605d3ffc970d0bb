"""Members: added, given another role, switched off. Somebody always owns the tenant."""

from __future__ import annotations

from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.models import Membership, Role, User
from tenancy.permissions import Permission, PermissionRefused, require
from tenancy.queries.members import active_owner_count
from tenancy.scope import Actor
from tenancy.services import audit


class LastOwner(Conflict):
    """The tenant's only owner cannot go."""

    code = "last_owner"

    def __init__(self) -> None:
        super().__init__(_("Make somebody else an owner first: this is the only one."))


class AlreadyMember(Conflict):
    """This person is a member already."""

    code = "already_member"

    def __init__(self, email: str) -> None:
        super().__init__(_("%(email)s is a member already.") % {"email": email}, email=email)


def add_member(*, email: str, role: str, full_name: str = "") -> Membership:
    """Make the person with this e-mail address a member; create the account if there is none.

    A new account has no usable password: its owner sets one through the reset link. Raises
    ``AlreadyMember``, ``Invalid``, ``PermissionRefused``.
    """
    actor = require(Permission.MANAGE_MEMBERS)
    email = User.objects.normalize_email(email.strip()).lower()
    if "@" not in email or len(email) > 254:
        raise Invalid.field("email", "invalid", _("This is not an e-mail address."))
    _check_role(actor, role)
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        first_name, _space, last_name = full_name.strip().partition(" ")
        user = User.objects.create_user(
            # nobody knows it: an unusable password would also refuse the reset link
            email,
            get_random_string(40),
            first_name=first_name[:150],
            last_name=last_name[:150],
        )
    if Membership.objects.filter(user=user).exists():
        raise AlreadyMember(email)
    membership: Membership = Membership.objects.create(user=user, role=role)
    audit.record("member.added", membership, email=email, role=role)
    return membership


def change_role(*, membership_id: int, role: str) -> Membership:
    """Give a member another role. Raises ``LastOwner``, ``NotFound``, ``PermissionRefused``."""
    actor = require(Permission.MANAGE_MEMBERS)
    membership = _locked(membership_id)
    _check_role(actor, role)
    _check_role(actor, membership.role)
    if membership.role == role:
        return membership
    _keep_an_owner(membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    audit.record("member.role_changed", membership, before=before, after=role)
    return membership


def deactivate_member(*, membership_id: int) -> Membership:
    """Take the member's access away at once. Raises ``LastOwner``, ``NotFound``."""
    actor = require(Permission.MANAGE_MEMBERS)
    membership = _locked(membership_id)
    _check_role(actor, membership.role)
    if membership.is_active:
        _keep_an_owner(membership)
        membership.is_active = False
        membership.save(update_fields=["is_active"])
        audit.record("member.deactivated", membership)
    return membership


def reactivate_member(*, membership_id: int) -> Membership:
    """Give a member's access back. Raises ``NotFound``."""
    actor = require(Permission.MANAGE_MEMBERS)
    membership = _locked(membership_id)
    _check_role(actor, membership.role)
    if not membership.is_active:
        membership.is_active = True
        membership.save(update_fields=["is_active"])
        audit.record("member.reactivated", membership)
    return membership


def _locked(membership_id: int) -> Membership:
    # every membership is locked: two owners must not leave at the same moment
    rows = Membership.objects.select_for_update(of=("self",)).order_by("id")
    found = {membership.pk: membership for membership in rows}
    if membership_id not in found:
        raise NotFound("member", membership_id)
    return found[membership_id]


def _check_role(actor: Actor, role: str) -> None:
    """Refuse an unknown role, and a manager's hand on owners."""
    if role not in Role.values:
        raise Invalid.field("role", "unknown", _("There is no such role."))
    if role == Role.OWNER and actor.role != Role.OWNER:
        raise PermissionRefused(Permission.OWN, actor)


def _keep_an_owner(membership: Membership) -> None:
    if membership.role == Role.OWNER and membership.is_active and active_owner_count() <= 1:
        raise LastOwner

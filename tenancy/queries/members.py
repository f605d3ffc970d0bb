"""Read the people of the active tenant."""

from __future__ import annotations

from django.db.models import QuerySet

from tenancy.errors import NotFound
from tenancy.models import Membership, Role, User


def members() -> QuerySet[Membership]:
    """Return every membership with its user, oldest first."""
    return Membership.objects.select_related("user").order_by("id")


def get_member(membership_id: int) -> Membership:
    """Return the membership with its user; raise ``NotFound``."""
    found = members().filter(pk=membership_id).first()
    if found is None:
        raise NotFound("member", membership_id)
    return found


def active_owner_count() -> int:
    """Return how many owners can still sign in."""
    return int(
        Membership.objects.filter(role=Role.OWNER, is_active=True, user__is_active=True).count()
    )


def find_user(email: str) -> User | None:
    """Return the account with this e-mail address, whatever its case, or None."""
    return User.objects.filter(email__iexact=email.strip()).first()

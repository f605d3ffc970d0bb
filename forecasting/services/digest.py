"""A digest of warnings by mail, every morning, for the members who asked for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.mail import send_mail
from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext as _, ngettext

from forecasting.models import RiskWarning, WarningDigest
from forecasting.queries.digest import digest_warnings, wants_digest
from forecasting.queries.series import business_today
from inventory.models import WarehouseAccess
from tenancy.errors import Conflict
from tenancy.models import Membership
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope
from tenancy.services import audit
from tenancy.services.jobs import JobRun

KIND = "send_digests"
MOST_LINES = 10


class NoMember(Conflict):
    """Mail was asked for by somebody who has no mailbox here."""

    code = "no_member"


def choose_digest(*, user_id: int, wanted: bool) -> None:
    """Ask for the digest, or for no more of it: the own choice of a member who plans.

    Raises ``PermissionRefused``, ``NoMember``. Asking twice is asking once.
    """
    require(Permission.PLAN)
    member = Membership.objects.filter(user_id=user_id).first()
    if member is None:
        raise NoMember(_("Only a member who is signed in can choose to get mail; a key has none."))
    with transaction.atomic():
        if wanted == wants_digest(user_id):
            return
        if wanted:
            row, _made = WarningDigest.objects.get_or_create(membership=member)
            audit.record("warning_digest.chosen", row)
        else:
            row = WarningDigest.objects.get(membership=member)
            audit.record("warning_digest.left", row)
            row.delete()


def send_digests(run: JobRun) -> dict[str, Any]:
    """Mail the open warnings to every member who asked, once a day, the dearest first.

    Nothing is sent when nothing is open. A member restricted to some warehouses reads of those.
    Returns how many were sent.
    """
    with run.scope():
        today = business_today()
        rows = WarningDigest.objects.filter(membership__is_active=True).exclude(sent_on=today)
        asked = list(rows.select_related("membership__user").order_by("id"))
        places: dict[int, list[int]] = {}
        for member, place in WarehouseAccess.objects.values_list("membership_id", "warehouse_id"):
            places.setdefault(member, []).append(place)
    sent = 0
    for number, row in enumerate(asked):
        run.progress(number, len(asked), _("Writing to members"))
        with run.publishing():
            # taken before it is sent: a second worker finds it sent
            taken = WarningDigest.objects.filter(pk=row.pk).exclude(sent_on=today)
            if not taken.update(sent_on=today):
                continue
            found = digest_warnings(row.membership_id, places.get(row.membership_id))
            if not found:
                continue
            tenant = active_scope().tenant
            send_mail(
                ngettext(
                    "%(tenant)s: %(count)d open warning", "%(tenant)s: %(count)d open warnings",
                    len(found),
                ) % {"tenant": tenant.name, "count": len(found)},
                digest_text(found, tenant.currency),
                None,
                [row.membership.user.email],
            )  # fmt: skip
            sent += 1
    return {"digests_sent": sent}


def digest_text(found: Sequence[RiskWarning], currency: str) -> str:
    """Return the words of a digest: the dearest warnings, and how many more there are."""
    lines = [
        f"{row.get_kind_display()}: {row.product.sku} {row.product.name}, {row.warehouse.name}, "
        f"{number_format(row.severity_money, 2)} {currency}"
        for row in found[:MOST_LINES]
    ]
    more = len(found) - MOST_LINES
    if more > 0:
        lines.append(ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
    return "\n".join(lines) + "\n"

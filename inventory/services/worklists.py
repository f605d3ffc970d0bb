"""Work lists: one person at a time takes a piece of work, and gives it back or lets it lapse."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    CustomerReturn,
    CycleCount,
    PurchaseOrder,
    SalesOrder,
    StockBalance,
    TransferOrder,
    Wave,
    WorkClaim,
    WorkKind,
)
from inventory.services.rows import load
from tenancy.errors import Conflict
from tenancy.models import TenantOwned
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id

SUBJECTS: dict[WorkKind, type[TenantOwned]] = {
    WorkKind.RECEIVE: PurchaseOrder,
    WorkKind.RECEIVE_TRANSFER: TransferOrder,
    WorkKind.PUT_AWAY: StockBalance,
    WorkKind.ALLOCATE: SalesOrder,
    WorkKind.PICK: Wave,
    WorkKind.PACK: SalesOrder,
    WorkKind.SHIP: SalesOrder,
    WorkKind.SEND_TRANSFER: TransferOrder,
    WorkKind.COUNT: CycleCount,
    WorkKind.INSPECT: CustomerReturn,
}
CLAIM_LASTS = timedelta(minutes=30)

# a claim that lapsed, or one's own, is taken over; somebody else's is not changed
CLAIM = """
    INSERT INTO inventory_workclaim AS claim
        (tenant_id, kind, subject_id, actor_kind, actor_id, actor_label, claimed_at, expires_at)
    VALUES (%(tenant)s, %(kind)s, %(subject)s, %(actor_kind)s, %(actor_id)s, %(actor_label)s,
        statement_timestamp(), statement_timestamp() + %(lasts)s)
    ON CONFLICT (tenant_id, kind, subject_id) DO UPDATE SET
        actor_kind = EXCLUDED.actor_kind, actor_id = EXCLUDED.actor_id,
        actor_label = EXCLUDED.actor_label, expires_at = EXCLUDED.expires_at,
        claimed_at = CASE WHEN (claim.actor_kind, claim.actor_id)
            IS NOT DISTINCT FROM (EXCLUDED.actor_kind, EXCLUDED.actor_id)
            THEN claim.claimed_at ELSE EXCLUDED.claimed_at END
    WHERE claim.expires_at < statement_timestamp() OR (claim.actor_kind, claim.actor_id)
        IS NOT DISTINCT FROM (EXCLUDED.actor_kind, EXCLUDED.actor_id)
    RETURNING claim.id
"""


class ClaimedByOther(Conflict):
    """Somebody else is doing this; ``data`` says who and until when."""

    code = "claimed_by_other"

    def __init__(self, claim: WorkClaim) -> None:
        message = _("%(who)s is doing this already. Take other work, or ask for it to be released.")
        super().__init__(
            message % {"who": claim.actor_label},
            kind=claim.kind,
            subject_id=claim.subject_id,
            claimed_by=claim.actor_label,
            expires_at=claim.expires_at.isoformat(),
        )


def claim_work(*, kind: WorkKind, subject_id: int) -> WorkClaim:
    """Take a piece of work for half an hour, or longer if it is one's own already.

    Raises ``ClaimedByOther``. The conditional upsert decides; of two at once one wins.
    """
    actor = require(Permission.FLOOR_WORK)
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "kind": str(kind),
        "subject": subject_id,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label[:160],
        "lasts": CLAIM_LASTS,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, arguments)
        won = cursor.fetchone()
    claim: WorkClaim = WorkClaim.objects.get(kind=kind, subject_id=subject_id)
    if won is None:
        raise ClaimedByOther(claim)
    return claim


def take_work(*, kind: WorkKind, subject_id: int) -> WorkClaim:
    """Take a piece of work from a list. Raises ``NotFound``, ``ClaimedByOther``."""
    require(Permission.FLOOR_WORK)
    load(SUBJECTS[kind], subject_id)
    return claim_work(kind=kind, subject_id=subject_id)


def give_work_back(*, kind: WorkKind, subject_id: int) -> None:
    """Give back a piece of work by its list. Raises ``NotFound``, ``ClaimedByOther``."""
    require(Permission.FLOOR_WORK)
    load(SUBJECTS[kind], subject_id)
    release_work(kind=kind, subject_id=subject_id)


def release_work(*, kind: WorkKind, subject_id: int) -> None:
    """Give a piece of work back; a manager may free what somebody else holds.

    What nobody holds stays free. Raises ``ClaimedByOther`` for somebody else's.
    """
    actor = require(Permission.FLOOR_WORK)
    claims = WorkClaim.objects.filter(kind=kind, subject_id=subject_id)
    mine = claims.filter(actor_kind=actor.kind, actor_id=actor.id)
    if mine.delete()[0]:
        return
    held = claims.first()
    if held is None:
        return
    if actor.role not in {"manager", "owner"}:
        raise ClaimedByOther(held)
    held.delete()


def finish_work(*, kind: WorkKind, subject_id: int) -> None:
    """Forget the claim of work that is done, whoever held it: services call it at the end."""
    WorkClaim.objects.filter(kind=kind, subject_id=subject_id).delete()


def finish_works(*, kind: WorkKind, subject_ids: Collection[int]) -> None:
    """Forget the claims of several pieces of work that are done, in one statement."""
    if subject_ids:
        WorkClaim.objects.filter(kind=kind, subject_id__in=subject_ids).delete()

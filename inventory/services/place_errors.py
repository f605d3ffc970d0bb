"""What is refused about places, with the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from inventory.models import Location, StockBalance, Zone
from tenancy.errors import Conflict

MOST_NAMED = 5


class LocationNotEmpty(Conflict):
    """A place that holds stock stays in use; ``lines`` says what lies there."""

    code = "location_not_empty"

    def __init__(self, location: Location, lying: Sequence[StockBalance]) -> None:
        lines = [
            {
                "product_id": row.product_id,
                "sku": row.product.sku,
                "lot": row.lot.code if row.lot is not None else "",
                "on_hand": format(row.on_hand.normalize(), "f"),
            }
            for row in lying
        ]
        first = ", ".join(f"{line['on_hand']} {line['sku']}" for line in lines[:MOST_NAMED])
        message = _("%(code)s is not empty: %(lying)s. Move it away first.")
        named = {"code": location.code, "lying": first}
        super().__init__(message % named, location_id=location.pk, lines=lines)


class LastOfItsKind(Conflict):
    """Work needs a place of this kind, and the warehouse has no other."""

    code = "last_of_its_kind"

    def __init__(self, location: Location) -> None:
        message = _("%(code)s is the last place for this in use (%(kind)s): add another one first.")
        named = {"code": location.code, "kind": location.get_kind_display()}
        super().__init__(message % named, location_id=location.pk, kind=location.kind)


class CodesTaken(Conflict):
    """Some places of a pattern exist already; ``codes`` names them."""

    code = "codes_taken"

    def __init__(self, codes: Sequence[str]) -> None:
        message = _("%(count)d of these places exist already, the first: %(first)s.")
        named = {"count": len(codes), "first": ", ".join(codes[:MOST_NAMED])}
        super().__init__(message % named, codes=list(codes))


class ZonesInCircle(Conflict):
    """A zone would overflow into itself."""

    code = "zones_in_circle"

    def __init__(self, zone: Zone, above: Zone) -> None:
        message = _("%(zone)s would overflow into itself by way of %(above)s.")
        super().__init__(message % {"zone": zone.code, "above": above.code}, zone_id=zone.pk)

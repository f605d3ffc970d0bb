"""Embeddings of products, supplied by the tenant: set, and removed all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _, ngettext

from forecasting.models import ProductEmbedding
from forecasting.services.work_lists import one_at_a_time
from inventory.models import Product
from tenancy.errors import Conflict, Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit

LONGEST = 2048
LARGEST = 1e6


@dataclass(frozen=True)
class EmbeddingOf:
    """A product by its SKU, and its vector."""

    sku: str
    values: tuple[float, ...]


class EmbeddingLength(Conflict):
    """The vectors of a tenant have one length; ``data`` has the one stored and the one given."""

    code = "embedding_length"

    def __init__(self, stored: int, given: int) -> None:
        super().__init__(
            _(
                "The embeddings stored have %(stored)d numbers, these have %(given)d. Vectors of "
                "different models cannot be compared: remove all embeddings first, then set the "
                "new ones."
            )
            % {"stored": stored, "given": given},
            stored=stored,
            given=given,
        )


def set_embeddings(*, embeddings: Sequence[EmbeddingOf]) -> list[ProductEmbedding]:
    """Set the embeddings of products, all or none; the next forecasts of new products use them.

    Raises ``PermissionRefused``, ``Invalid`` naming each line, ``EmbeddingLength``.
    """
    require(Permission.PLAN)
    products = {
        row.sku: row for row in Product.objects.filter(sku__in=[one.sku for one in embeddings])
    }
    problems = _problems(embeddings, set(products))
    if problems:
        raise Invalid(problems)
    with transaction.atomic():
        one_at_a_time("product embeddings")
        stored = ProductEmbedding.objects.order_by("id").first()
        given = len(embeddings[0].values)
        if stored is not None and len(stored.values) != given:
            raise EmbeddingLength(len(stored.values), given)
        ProductEmbedding.objects.bulk_create(
            [
                ProductEmbedding(product=products[one.sku], values=list(one.values))
                for one in embeddings
            ],
            update_conflicts=True,
            update_fields=["values", "updated_at"],
            unique_fields=["tenant", "product"],
        )
        ids = [row.pk for row in products.values()]
        rows = list(
            ProductEmbedding.objects.filter(product_id__in=ids)
            .select_related("product")
            .order_by("id")
        )
        audit.record_each("embedding.set", [(row, {"length": given}) for row in rows])
    return rows


def remove_embeddings() -> int:
    """Remove every embedding of the tenant and return how many. Raises ``PermissionRefused``."""
    require(Permission.PLAN)
    with transaction.atomic():
        one_at_a_time("product embeddings")
        rows = list(ProductEmbedding.objects.order_by("id"))
        audit.record_each("embedding.removed", [(row, {}) for row in rows])
        ProductEmbedding.objects.all().delete()
    return len(rows)


def _problems(embeddings: Sequence[EmbeddingOf], known: set[str]) -> list[Problem]:
    if not embeddings:
        return [Problem("embeddings", "required", _("Give at least one embedding."))]
    found = []
    seen: set[str] = set()
    length = len(embeddings[0].values)
    for line, one in enumerate(embeddings):
        if one.sku not in known:
            text = _("There is no product “%(sku)s”.") % {"sku": one.sku}
            found.append(Problem("sku", "unknown", text, line=line))
        elif one.sku in seen:
            found.append(Problem("sku", "repeated", _("This product is named twice."), line=line))
        seen.add(one.sku)
        if not 1 <= len(one.values) <= LONGEST:
            text = _("An embedding has 1 to %(most)d numbers.") % {"most": LONGEST}
            found.append(Problem("values", "length", text, line=line))
        elif len(one.values) != length:
            own = len(one.values)
            text = ngettext(
                "This one has %(own)d number, the first %(first)d: all must have as many.",
                "This one has %(own)d numbers, the first %(first)d: all must have as many.",
                own,
            ) % {"own": own, "first": length}
            found.append(Problem("values", "length", text, line=line))
        elif not all(math.isfinite(value) and abs(value) <= LARGEST for value in one.values):
            text = _("Every number must be finite and no larger than a million.")
            found.append(Problem("values", "not_finite", text, line=line))
        elif not any(one.values):
            text = _("Some number must differ from 0: zeros alone say nothing of a product.")
            found.append(Problem("values", "nothing_said", text, line=line))
    return found

"""The embeddings of products that a tenant has supplied."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from forecasting.models import ProductEmbedding


@dataclass(frozen=True)
class Extent:
    """How many products have an embedding, and how many numbers each has."""

    products: int
    numbers: int


def embeddings(text: str = "") -> QuerySet[ProductEmbedding]:
    """Return the embeddings with their products, all or those whose SKU or name fits."""
    rows = ProductEmbedding.objects.select_related("product").order_by("id")
    if text:
        rows = rows.filter(Q(product__sku__istartswith=text) | Q(product__name__icontains=text))
    return rows


def extent() -> Extent:
    """Return how much is stored."""
    first = ProductEmbedding.objects.order_by("id").first()
    return Extent(ProductEmbedding.objects.count(), len(first.values) if first else 0)

"""The embeddings of products that a tenant has supplied."""

from __future__ import annotations

from django.db.models import QuerySet

from forecasting.models import ProductEmbedding


def embeddings() -> QuerySet[ProductEmbedding]:
    """Return all embeddings with their products."""
    return ProductEmbedding.objects.select_related("product").order_by("id")

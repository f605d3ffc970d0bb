"""Embeddings of products that a tenant supplies: of an image, a text, anything."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from inventory.models import Product
from tenancy.models import TenantForeignKey, TenantOwned


class ProductEmbedding(TenantOwned):
    """A vector of finite numbers; all vectors of a tenant have the same length."""

    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    values = ArrayField(models.FloatField())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        ordering = ["product_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "product"], name="product_embedding_one_per_product"
            ),
            models.CheckConstraint(
                condition=models.Q(values__len__gt=0), name="product_embedding_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {len(self.values)}"

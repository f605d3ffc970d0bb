"""Embeddings of products, for forecasts of new ones: of an image, a text, anything."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import ProductEmbedding
from forecasting.queries.embeddings import embeddings
from forecasting.services.embeddings import (
    LONGEST,
    EmbeddingOf,
    remove_embeddings,
    set_embeddings,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, writing
from tenancy.api.fields import Shown, Strict, many
from tenancy.api.parameters import id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class EmbeddingShown(Shown[ProductEmbedding]):
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    values = serializers.ListField(child=serializers.FloatField())
    updated_at = serializers.DateTimeField()


class NewEmbedding(Strict):
    sku = serializers.CharField(max_length=64)
    values = serializers.ListField(
        child=serializers.FloatField(),
        min_length=1,
        max_length=LONGEST,
        help_text="Finite numbers; as many for every product of the tenant.",
    )


class NewEmbeddings(Strict):
    embeddings = many(NewEmbedding)


class EmbeddingsSetShown(serializers.Serializer[Any]):
    products = serializers.IntegerField()


class EmbeddingList(TenantView):
    @listing(
        Endpoint("list_product_embeddings", Permission.READ, "Embeddings of products"),
        Listing(
            EmbeddingShown,
            orders={"id": ("id",)},
            filters={"product_id": id_filter("product_id"), "sku": text_filter("product__sku")},
        ),
    )
    def get(self, request: Request) -> Any:
        return embeddings()

    @writing(
        Endpoint("set_product_embeddings", Permission.PLAN, "Set the embeddings of products"),
        Writing(EmbeddingsSetShown, NewEmbeddings),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        wanted = [EmbeddingOf(one["sku"], tuple(one["values"])) for one in data["embeddings"]]
        return {"products": len(set_embeddings(embeddings=wanted))}


class EmbeddingRemoval(TenantView):
    @writing(
        Endpoint("remove_product_embeddings", Permission.PLAN, "Remove all embeddings"),
        Writing(EmbeddingsSetShown),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return {"products": remove_embeddings()}

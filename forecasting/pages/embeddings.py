"""Embeddings of products: what is stored, a file that sets them, and their removal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from forecasting.queries import embeddings
from forecasting.services.embedding_files import import_embeddings
from forecasting.services.embeddings import remove_embeddings
from tenancy.pages.filters import search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "signals"
ORDER = ("id",)


class EmbeddingFilterForm(forms.Form):
    q = search_field(gettext_lazy("Name or SKU"))

    def text(self) -> str:
        """Return what is looked for."""
        return str(self.cleaned_data.get("q", "")) if self.is_valid() else ""


class EmbeddingFileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy(
            "Columns sku and embedding (numbers separated by spaces), or sku, embedding_1, "
            "embedding_2 and so on. One wrong row refuses the whole file."
        ),
    )


@require_safe
def embedding_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the products that have an embedding."""
    require(Permission.READ)
    return _list(request, EmbeddingFileForm())


def _list(request: HttpRequest, file_form: EmbeddingFileForm, status: int = 200) -> HttpResponse:
    filters = EmbeddingFilterForm(request.GET or None)
    rows = embeddings.embeddings(filters.text() if filters.is_bound else "")
    page = keyset_page(rows, order=ORDER, cursor=request.GET.get("cursor", ""))
    return show(
        request,
        "forecasting/embedding_list.html",
        NAV,
        status=status,
        filters=filters,
        page=page,
        rows=page.items,
        known=embeddings.extent(),
        file_form=file_form,
    )


@require_POST
def embedding_import(request: HttpRequest, tenant: str) -> HttpResponse:
    """Set the embeddings of a file."""
    form = EmbeddingFileForm(request.POST, request.FILES)

    def effect(data: dict[str, Any]) -> str:
        import_embeddings(data=data["file"].read())
        return address(request, "forecasting:embedding_list")

    done = _("The embeddings are set. The next forecasts of new products use them.")
    sent = send_form(request, form, effect, done)
    return sent if sent is not None else _list(request, form, UNPROCESSABLE)


@require_POST
def embedding_remove(request: HttpRequest, tenant: str) -> HttpResponse:
    """Remove all embeddings."""
    return do(
        request,
        remove_embeddings,
        done=_("All embeddings are removed."),
        target=address(request, "forecasting:embedding_list"),
    )

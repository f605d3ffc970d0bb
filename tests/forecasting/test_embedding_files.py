"""Embeddings from a file: set by the page, wrong rows named by number, nothing set then."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from forecasting.models import ProductEmbedding
from forecasting.services.embedding_files import import_embeddings
from tenancy.errors import Invalid
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.forecasting.world import build_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(north: House) -> House:
    with north.scope():
        build_world(products=3, days=3)
    return north


def stored() -> dict[str, list[float]]:
    rows = ProductEmbedding.objects.select_related("product")
    return {row.product.sku: list(row.values) for row in rows}


def test_numbers_come_in_one_column_or_in_one_each(house: House) -> None:
    with house.scope("planner"):
        assert import_embeddings(data=b"SKU,embedding\nP-001,0.5 -1 2e-3\nP-002,1;2;3\n\n") == 2
        assert stored() == {"P-001": [0.5, -1, 0.002], "P-002": [1, 2, 3]}
        wide = "\ufeffsku,embedding_1,embedding_2,embedding_3,note\nP-003,7,8,9,x\n"
        assert import_embeddings(data=wide.encode()) == 1
        assert stored()["P-003"] == [7, 8, 9]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sku,embedding\nP-001,1 2\nP-009,1 2\n", "Row 3: There is no product “P-009”."),
        ("sku,embedding\nP-001,1 2\nP-002,1 2 3\n", "Row 3: This one has 3 numbers, the first 2"),
        ("sku,embedding\n\nP-001,1 nan\n", "Row 2: Every number must be finite"),
        ("sku,embedding\nP-001,1 two\n", "Row 2: “two” is not a number"),
        ("sku,embedding_1,embedding_2\nP-001,1,\n", "Row 2: a number is missing"),
        ("sku,embedding\nP-001,\n", "Row 2: An embedding has 1 to 2048 numbers."),
        ("sku,embedding\nP-001,1\nP-001,2\n", "Row 3: This product is named twice."),
        ("sku,vector\nP-001,1\n", "found are: sku, vector"),
        ("", "found are: none"),
        ("sku,embedding\n", "Give at least one embedding."),
    ],
)
def test_a_wrong_row_is_named_by_number_and_nothing_is_set(
    house: House, text: str, told: str
) -> None:
    with house.scope("planner"):
        with pytest.raises(Invalid) as refused:
            import_embeddings(data=text.encode())
        assert told in " ".join(str(one.message) for one in refused.value.problems)
        assert not stored()


def test_the_page_imports_shows_refuses_and_removes(house: House) -> None:
    planner, path = house.client("planner"), house.path("embeddings/")
    assert "No embeddings yet" in planner.get(path).content.decode()

    def send(text: bytes, who: str = "planner") -> int:
        file = SimpleUploadedFile("e.csv", text)
        answer = house.client(who).post(path + "import", {"file": file})
        page.append(answer.content.decode())
        return answer.status_code

    page: list[str] = []
    assert send(b"sku,embedding\nP-001,1 2\n", "viewer") == 403
    assert send(b"sku,embedding\nP-001,1 2\nP-002,3\n") == 422
    assert "Row 3: This one has 1 number, the first 2" in page[-1]
    assert send(b"sku,embedding\nP-001,1 2\nP-002,3 4\n") == 302
    shown = " ".join(planner.get(path).content.decode().split())
    assert "2 products, 2 numbers each" in shown
    assert "P-002" in shown
    assert "P-002" not in planner.get(path, {"q": "P-001"}).content.decode()
    assert send(b"sku,embedding\nP-003,1 2 3\n") == 422
    assert "remove all embeddings first" in page[-1]
    assert "Remove all" not in house.client("viewer").get(path).content.decode()
    assert planner.post(path + "remove").status_code == 302
    with house.scope():
        assert not stored()
        with house.scope("viewer"), pytest.raises(PermissionRefused):
            import_embeddings(data=b"sku,embedding\nP-001,1\n")

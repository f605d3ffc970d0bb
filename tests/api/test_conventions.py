"""What every endpoint does alike: problems, pages, idempotency keys, versions, limits."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connection

from inventory.models import Product, StockMovement
from inventory.services.catalog import ProductFields, create_product
from tenancy.models import AuditEvent, IdempotencyKey, Job
from tenancy.services import idempotency, job_kinds
from tests.api.calls import Caller, by_key, by_session
from tests.cast import House


@pytest.fixture
def products(north: House) -> list[Product]:
    with north.scope():
        return [create_product(fields=ProductFields(sku=f"P{n:03}", name="Bolt")) for n in range(7)]


# -- problems -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "status", "code"),
    [
        ("GET", "nowhere", b"", "application/json", 404, "not_found"),
        ("GET", "products/1", b"", "application/json", 404, "not_found"),
        ("GET", "products/99999999999999999999999", b"", "application/json", 404, "not_found"),
        ("DELETE", "products", b"", "application/json", 405, "method_not_allowed"),
        ("POST", "products", b"{", "application/json", 400, "parse_error"),
        ("POST", "products", b"[]", "application/json", 400, "invalid"),
        ("POST", "products", b'{"sku": NaN}', "application/json", 400, "parse_error"),
        ("POST", "products", b"a=1", "application/x-www-form-urlencoded", 415, None),
        ("POST", "products", b"<a/>", "text/xml", 415, "unsupported_media_type"),
        ("POST", "products", b"{}", "application/json; charset=bz2", 415, None),
        ("POST", "products", b"[" * 5000, "application/json", 400, "parse_error"),
        ("POST", "products", b" " * 1_100_000, "application/json", 413, "body_too_large"),
    ],
)
def test_every_error_is_a_problem_body(
    north: House, method: str, path: str, body: bytes, content_type: str, status: int, code: Any
) -> None:
    caller = by_session(north)
    caller.client.raise_request_exception = False
    answer = caller.client.generic(method, caller.url(path), body, content_type=content_type)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert {"type", "title", "status", "code", "detail", "request_id"} <= problem.keys()
    assert code in {problem["code"], None}


def test_an_unexpected_error_tells_nothing_and_leaves_nothing(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inventory.api import catalog

    def break_late(*, fields: ProductFields) -> Product:
        create_product(fields=fields)
        raise RuntimeError("secret detail")

    monkeypatch.setattr(catalog, "create_product", break_late)
    answer = by_session(north).post("products", {"sku": "A", "name": "B"})
    assert (answer.status_code, answer.json()["code"]) == (500, "error")
    assert "secret" not in answer.content.decode()
    with north.scope():
        assert not Product.objects.exists()
        assert not IdempotencyKey.objects.exists()


def test_unknown_fields_and_wrong_values_are_named(north: House) -> None:
    answer = by_session(north).post("products", {"sku": "A", "nmae": "B", "tenant": 7})
    assert answer.status_code == 400
    named = {problem["field"]: problem["code"] for problem in answer.json()["problems"]}
    assert named == {"nmae": "unknown_field", "tenant": "unknown_field"}


def test_a_number_that_is_not_text_is_refused(north: House) -> None:
    answer = by_session(north).post("products", {"sku": "A", "name": "B", "unit_cost": 1.1})
    assert answer.json()["problems"][0]["code"] == "not_text"


def test_exact_numbers_come_back_as_text(north: House) -> None:
    body = {"sku": "A", "name": "B", "unit_cost": "0.123456"}
    assert by_session(north).post("products", body).json()["unit_cost"] == "0.123456"


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_texts_the_database_cannot_hold_are_refused(north: House, text: str) -> None:
    caller = by_session(north)
    for body in (
        {"sku": text, "name": "B"},
        {"sku": "A", "name": "B", "attributes": {"a": text}},
        {"sku": "A", "name": "B", "attributes": {text: "a"}},
    ):
        assert caller.post("products", body).status_code == 400
    assert caller.get("products", search=text.replace("\ud800", "\x00")).status_code == 400


# -- pages, filters, orders -----------------------------------------------------------------------
def test_pages_follow_each_other_without_gap_or_double(
    north: House, products: list[Product]
) -> None:
    caller = by_session(north)
    seen: list[str] = []
    page = caller.get("products", limit=3).json()
    while True:
        seen += [item["sku"] for item in page["items"]]
        if page["next"] is None:
            break
        page = caller.get(page["next"]).json()
    assert seen == [f"P{n:03}" for n in range(7)]


def test_a_row_that_comes_in_shifts_nothing(north: House, products: list[Product]) -> None:
    """After the page P000-P002 a row sorted before it appears: the next page still begins at P003."""
    caller = by_session(north)
    page = caller.get("products", limit=3).json()
    caller.post("products", {"sku": "A-first", "name": "New"})
    assert caller.get(page["next"]).json()["items"][0]["sku"] == "P003"


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"cursor": "nonsense"},
        {"cursor": "eyJhIjoxfQ"},
        {"order": "tenant_id"},
        {"category_id": "x"},
        {"sku__startswith": "P"},
        {"is_active": "perhaps"},
        {"category_id": "9" * 30},
    ],
)
def test_what_a_list_does_not_know_is_refused(north: House, query: dict[str, str]) -> None:
    answer = by_session(north).get("products", **query)
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["field"] == next(iter(query))


def test_a_list_costs_the_same_queries_however_long(
    north: House, products: list[Product], django_assert_num_queries: Any
) -> None:
    caller = by_session(north)
    caller.get("products", limit=1)
    with connection.execute_wrapper(_Counter()) as _unused:
        pass
    counts = []
    for limit in (1, 7):
        counter = _Counter()
        with connection.execute_wrapper(counter):
            caller.get("products", limit=limit)
        counts.append(counter.count)
    assert counts[0] == counts[1]


class _Counter:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += 1
        return execute(sql, params, many, context)


# -- idempotency keys -----------------------------------------------------------------------------
def test_a_repeated_write_happens_once_and_answers_the_same(north: House) -> None:
    caller = by_session(north)
    body = {"sku": "A", "name": "B"}
    first = caller.post("products", body, Idempotency_Key="k1")
    again = caller.post("products", body, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (again["Idempotent-Replayed"], again["ETag"]) == ("true", first["ETag"])
    with north.scope():
        assert Product.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(north: House) -> None:
    caller = by_session(north)
    caller.post("products", {"sku": "A", "name": "B"}, Idempotency_Key="k1")
    answer = caller.post("products", {"sku": "C", "name": "B"}, Idempotency_Key="k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_a_refusal_is_not_remembered(north: House) -> None:
    caller = by_session(north)
    assert caller.post("products", {"sku": ""}, Idempotency_Key="k1").status_code == 400
    body = {"sku": "A", "name": "B"}
    assert caller.post("products", body, Idempotency_Key="k1").status_code == 201


def test_keys_belong_to_their_caller_and_tenant(north: House, south: House) -> None:
    body = {"sku": "A", "name": "B"}
    for caller in (by_session(north), by_key(south), by_session(south, "planner")):
        answer = caller.post("products", body, Idempotency_Key="same")
        assert "Idempotent-Replayed" not in answer
    with north.scope():
        assert Product.objects.count() == 1


def test_what_moves_stock_needs_a_key(north: House) -> None:
    answer = by_session(north).send("POST", "stock/moves", {"lines": []})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    body = {"lines": [_line()]}
    answer = by_session(north).send("POST", "stock/moves", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


def _line() -> dict[str, Any]:
    return {"product_id": 1, "from_location_id": 1, "to_location_id": 2, "quantity": "1"}


@pytest.mark.django_db(transaction=True)
def test_the_same_request_from_eight_threads_happens_once(north: House) -> None:
    assert _products_after_a_storm(north) == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_keys_the_storm_gets_through(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenancy.api.endpoints.once", lambda request, effect, **options: effect())
    assert _products_after_a_storm(north) == 8


def _products_after_a_storm(house: House) -> int:
    """Eight threads send one category-less sale of names: POST /warehouses would clash by code."""
    key = by_key(house)
    barrier = threading.Barrier(8)
    statuses: list[int] = []

    def send() -> None:
        caller = Caller(house, headers=key.headers)
        barrier.wait()
        body = {"name": "storm", "role": "viewer", "scopes": ["read"]}
        statuses.append(caller.post("api-keys", body, Idempotency_Key="storm").status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 409}
    with house.scope():
        return AuditEvent.objects.filter(action="api_key.created", data__name="storm").count()


@pytest.mark.django_db(transaction=True)
def test_a_first_request_that_still_runs_answers_409(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inventory.api import catalog

    monkeypatch.setattr(idempotency, "WAIT", "200ms")
    inside, answered = threading.Event(), threading.Event()

    def slow(*, fields: ProductFields) -> Product:
        product = create_product(fields=fields)
        inside.set()
        answered.wait(10)
        return product

    monkeypatch.setattr(catalog, "create_product", slow)
    caller = by_key(north)
    body = {"sku": "A", "name": "B"}
    first: list[int] = []

    def send() -> None:
        own = Caller(north, headers=caller.headers)
        first.append(own.post("products", body, Idempotency_Key="k").status_code)
        connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    inside.wait(10)
    second = caller.post("products", body, Idempotency_Key="k")
    answered.set()
    thread.join()
    assert (second.status_code, second.json()["code"]) == (409, "still_running")
    assert first == [201]
    assert caller.post("products", body, Idempotency_Key="k").status_code == 201


# -- versions -------------------------------------------------------------------------------------
def test_a_change_needs_the_version_that_was_read(north: House, products: list[Product]) -> None:
    caller = by_session(north)
    path = f"products/{products[0].pk}"
    etag = caller.get(path)["ETag"]
    missing = caller.patch(path, {"name": "X"})
    changed = caller.patch(path, {"name": "X"}, If_Match=etag)
    stale = caller.patch(path, {"name": "Y"}, If_Match=etag)
    nonsense = caller.patch(path, {"name": "Y"}, If_Match="yesterday's")
    statuses = [answer.status_code for answer in (missing, changed, stale, nonsense)]
    assert statuses == [428, 200, 412, 400]
    assert changed["ETag"] == '"2"'
    assert stale.json()["current"] == 2
    assert caller.get(path).json()["name"] == "X"


# -- limits ---------------------------------------------------------------------------------------
def test_too_many_calls_are_told_when_to_come_back(north: House, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 3
    caller, other = by_session(north), by_session(north, "viewer")
    statuses = [caller.get("me").status_code for _call in range(4)]
    # the minute may turn in between: then the fourth call is the first of the next one
    assert statuses in ([200, 200, 200, 429], [200] * 4)
    assert other.get("me").status_code == 200
    if statuses[-1] == 429:
        answer = caller.get("me")
        assert 1 <= int(answer["Retry-After"]) <= 60
        assert answer.json()["code"] == "throttled"


def test_a_tenants_limit_does_not_touch_another(north: House, south: House, settings: Any) -> None:
    settings.API_TENANT_CALLS_PER_MINUTE = 1
    by_session(north).get("me")
    by_session(north, "viewer").get("me")
    assert by_session(south).get("me").status_code == 200


def test_a_cache_that_is_down_limits_nobody(
    north: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenancy.api import throttling

    class Down:
        def __getattr__(self, name: str) -> Any:
            raise ConnectionError(name)

    settings.API_CALLS_PER_MINUTE = 0
    monkeypatch.setattr(throttling, "cache", Down())
    assert by_session(north).get("me").status_code == 200


# -- jobs -----------------------------------------------------------------------------------------
def test_jobs_are_listed_watched_and_cancelled(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenancy.services.jobs import enqueue_job, job_handler

    monkeypatch.setattr(job_kinds, "_kinds", dict(job_kinds._kinds))
    job_handler("test.api", title="Test of the API")(lambda run: {})
    with north.scope():
        job = enqueue_job(kind="test.api", payload={"secret": "not shown"})
    caller = by_session(north, "planner")
    [item] = caller.get("jobs", state="queued").json()["items"]
    assert (item["id"], item["title"]) == (job.pk, "Test of the API")
    assert "secret" not in caller.get(f"jobs/{job.pk}").content.decode()
    assert by_session(north, "viewer").post(f"jobs/{job.pk}/cancel").status_code == 403
    assert caller.post(f"jobs/{job.pk}/cancel").json()["state"] == "cancelled"
    with north.scope():
        assert Job.objects.get().state == "cancelled"
        assert not StockMovement.objects.exists()


def test_the_body_of_a_write_without_one_must_be_empty(north: House) -> None:
    answer = by_session(north).post("jobs/1/cancel", {"now": True})
    assert answer.json()["problems"][0]["code"] == "unexpected_body"
    assert json.loads(answer.content)["status"] == 400

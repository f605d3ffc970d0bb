"""Ids inside requests: in filters, in bodies, in cursors. The OpenAPI schema says where they go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.api.calls import key_of
from tests.cast import House
from tests.isolation.routes import ALIASES, MISSING_ID, _snake
from tests.isolation.world import World, build_world, snapshot

OWN_SENTINEL = "Kp3-intruder"
# ids that name rows of several kinds, or none
ANY_ID = {"subject_id": "Product", "document_id": "PurchaseOrder"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for address, methods in schema["paths"].items():
        for method, operation in methods.items():
            if "{tenant}" in address:
                yield address, method.upper(), operation


def _row_id(world: World, name: str) -> int:
    by_name = {f"{_snake(model)}_id": model for model in world.rows}
    model = ALIASES.get(name) or ANY_ID.get(name) or by_name.get(name) or _by_ending(world, name)
    assert model, f"no row is known for {name}: add it to ALIASES"
    return world.row_id(model)


def _by_ending(world: World, name: str) -> str | None:
    """``to_location_id`` names a location, ``parent_id`` a category."""
    special = {"parent_id": "Category"}
    endings = [m for m in world.rows if name.endswith("_" + _snake(m) + "_id")]
    return special.get(name) or max(endings, key=len, default=None)


def _headers(house: House) -> dict[str, str]:
    return {"Authorization": f"Bearer {key_of(house)}", "If-Match": '"1"'}


def test_filters_by_a_foreign_id_find_nothing(
    victim: World, intruder: House, schema: dict[str, Any]
) -> None:
    client, headers = Client(), _headers(intruder)
    tried = 0
    for address, method, operation in _operations(schema):
        names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
        ids = [name for name in names if name.endswith("_id")]
        if method != "GET" or not ids or "{" in address.replace("{tenant}", ""):
            continue
        needed = [
            p["name"] for p in operation["parameters"] if p["in"] == "query" and p.get("required")
        ]
        if set(needed) - set(ids):
            continue  # asked together with something else: its own tests probe it
        for name in ids:
            path = address.replace("{tenant}", "intruder")
            query = {name: _row_id(victim, name)}
            if "product_id" in ids and operation["operationId"] == "get_availability":
                query.setdefault("product_id", victim.row_id("Product"))
            foreign = client.get(path, query, headers=headers)
            assert foreign.status_code == 200, (path, query, foreign.content)
            assert victim.sentinel not in foreign.content.decode()
            missing = client.get(path, query | {name: MISSING_ID}, headers=headers)
            assert foreign.json() == missing.json(), (path, query)
            assert foreign.json().get("items", []) == [], (path, query)
            tried += 1
    assert tried >= 20


def test_a_cursor_of_the_victim_shows_nothing(victim: World, intruder: House) -> None:
    with victim.house.scope():
        from inventory.services.places import create_warehouse

        create_warehouse(code="W2", name=victim.sentinel)
    first = (
        Client()
        .get("/api/v1/victim/locations", {"limit": 1}, headers=_headers(victim.house))
        .json()
    )
    path = first["next"].replace("/victim/", "/intruder/")
    assert Client().get(path, headers=_headers(intruder)).json()["items"] == []


def test_foreign_ids_in_bodies_are_refused_like_missing_ones(
    victim: World, intruder: House, schema: dict[str, Any]
) -> None:
    """Each write with the caller's own rows everywhere but one id, which is the victim's."""
    own = build_world(intruder, OWN_SENTINEL)
    client, headers = Client(), _headers(intruder)
    client.raise_request_exception = False
    before = snapshot(victim.house)
    tried = 0
    for address, method, operation in _operations(schema):
        if "requestBody" not in operation:
            continue
        [content] = operation["requestBody"]["content"].values()
        body = _example(schema, content["schema"], own)
        path = address.replace("{tenant}", "intruder")
        for name in [p["name"] for p in operation["parameters"] if p["in"] == "path"]:
            path = path.replace(f"{{{name}}}", str(_row_id(own, name)) if name != "tenant" else "")
        for place in _id_places(body):
            answers = []
            for number in (_row_id(victim, _id_name(place)), MISSING_ID):
                sent = _with(body, place, number)
                key = {"Idempotency-Key": f"{path}-{place}-{number}"}
                answer = client.generic(
                    method, path, json.dumps(sent), "application/json", headers=headers | key
                )
                assert victim.sentinel not in answer.content.decode()
                text = answer.content.decode().replace(str(number), "0")
                found = json.loads(text)
                found.pop("request_id", None)
                answers.append((answer.status_code, found))
            assert answers[0] == answers[1], (path, place)
            told = answers[0][0]
            if path.endswith("/bulk") and told == 200:  # each item is answered by itself
                assert answers[0][1]["items"][0]["refusal"], (path, place, answers)
            else:
                assert 400 <= told < 500, (path, place, answers)
            tried += 1
    assert tried >= 15
    assert snapshot(victim.house) == before


def _example(schema: dict[str, Any], part: dict[str, Any], own: World, name: str = "") -> Any:
    """Return a body that fits the schema, with the caller's own ids."""
    if "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    if "allOf" in part or "oneOf" in part:
        [part, *_rest] = part.get("allOf") or part["oneOf"]
        return _example(schema, part, own, name)
    if "enum" in part:
        return part["enum"][0]
    kind = part.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        members = part.get("properties", {})
        return {key: _example(schema, value, own, key) for key, value in members.items()}
    if kind == "array":
        return [_example(schema, part["items"], own, name)]
    if kind == "integer":
        name = name.removesuffix("s")
        return _row_id(own, name) if name.endswith("_id") else 1
    if kind == "boolean":
        return False
    return _text(part, name)


def _text(part: dict[str, Any], name: str) -> str:
    formats = {
        "decimal": "1",
        "date": "2026-11-03",
        "date-time": "2026-11-03T08:00:00Z",
        "email": "new@intruder.example",
    }
    if part.get("format") in formats:
        return formats[part["format"]]
    patterns = {"country": "DE", "currency": "EUR", "time_zone": "Europe/Berlin"}
    return patterns.get(name, f"new {name}"[: part.get("maxLength", 40)])


def _id_places(body: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every id in the body, those in lists of ids too."""
    places: list[tuple[Any, ...]] = []
    entries = body.items() if isinstance(body, dict) else enumerate(body)
    for key, value in entries:
        if isinstance(value, dict | list):
            places += _id_places(value, (*before, key))
        elif _id_name((*before, key)):
            places.append((*before, key))
    return places


def _id_name(place: tuple[Any, ...]) -> str:
    """Return the name of what the id in that place names, "" where there is no id."""
    names = [part for part in place[-2:] if isinstance(part, str)]
    is_in_list = isinstance(place[-1], int)
    name = names[-1].removesuffix("s") if names and is_in_list else place[-1]
    return name if isinstance(name, str) and name.endswith("_id") else ""


def _with(body: Any, place: tuple[Any, ...], number: int) -> Any:
    copy = json.loads(json.dumps(body))
    target = copy
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = number
    return copy

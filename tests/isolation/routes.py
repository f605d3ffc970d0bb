"""Every address of the site, found by walking the URL configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tenancy.database import tenant_tables
from tests.isolation.world import World

MISSING_ID = 987_654_321
# path parameters that are not simply <model>_id
ALIASES = {
    "order_id": "PurchaseOrder",
    "file_id": "ImportedFile",
    "import_id": "ImportedFile",
    "network_id": "TrainedNetwork",
    "suggestion_id": "ReorderSuggestion",
    "warning_id": "RiskWarning",
    "line_id": "PurchaseOrderLine",
    "movement_id": "StockMovement",
    "event_id": "AuditEvent",
    "member_id": "Membership",
    "key_id": "ApiKey",
    "segment_id": "CustomerSegment",
    "piece_id": "TransferPiece",
    "task_id": "PickTask",
}
# path parameters that name no row: any value that the site knows
VALUES = {"trial_number": 1, "network": "lstm"}


class UnknownParameter(LookupError):
    """The matrix does not know a row for a path parameter: teach it in ``ALIASES``."""

    def __init__(self, route: str, name: str) -> None:
        self.route, self.name = route, name
        super().__init__(f"{route}: no row is known for <{name}>; add it to ALIASES or VALUES")


@dataclass(frozen=True)
class Route:
    """One pattern, spelled with ``<kind:name>`` as in the URL configuration."""

    pattern: str
    callback: Any

    @property
    def parameters(self) -> list[str]:
        """Return the names of the parameters besides the tenant."""
        names = re.findall(r"<(?:\w+:)?(\w+)>", self.pattern)
        return [name for name in names if name != "tenant"]

    @property
    def names_a_row(self) -> bool:
        return bool(set(self.parameters) - set(VALUES))

    @property
    def is_api(self) -> bool:
        return self.pattern.startswith("/api/v1/<")

    @property
    def is_page(self) -> bool:
        return self.pattern.startswith("/t/<")

    @property
    def names_tenant(self) -> bool:
        return "<slug:tenant>" in self.pattern

    def fill(self, slug: str, ids: dict[str, Any]) -> str:
        """Return the address in the tenant of that slug."""

        def value(match: re.Match[str]) -> str:
            name = match.group(2)
            return slug if name == "tenant" else str(ids[name])

        return re.sub(r"<(?:(\w+):)?(\w+)>", value, self.pattern)

    def ids_of(self, world: World) -> dict[str, Any]:
        """Return the ids of the world's rows for the parameters; raise ``UnknownParameter``."""
        return {name: _row_id(self.pattern, name, world) for name in self.parameters}

    def missing_ids(self) -> dict[str, Any]:
        """Return ids that nobody has."""
        return dict.fromkeys(self.parameters, MISSING_ID)


def _row_id(pattern: str, name: str, world: World) -> int | str:
    if name in VALUES:
        return VALUES[name]
    by_name = {_snake(model.__name__) + "_id": model.__name__ for model in tenant_tables().values()}
    model_name = ALIASES.get(name) or by_name.get(name)
    if model_name is None or model_name not in world.rows:
        raise UnknownParameter(pattern, name)
    return world.row_id(model_name)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def all_routes() -> list[Route]:
    """Return every address of the site."""
    return list(_walk(get_resolver().url_patterns, "/"))


def _walk(patterns: Any, before: str) -> Iterator[Route]:
    for entry in patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, path)
        elif isinstance(entry, URLPattern):
            yield Route(pattern=path, callback=entry.callback)

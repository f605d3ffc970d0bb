"""Principals knock on addresses; gates look at what came back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from tests.isolation.routes import Route, UnknownParameter
from tests.isolation.world import World, snapshot

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
READS = ("GET",)
REFUSED = frozenset({400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428})
ABSENT = frozenset({404, 405})
ROUTES_A_LOOK = 80
"""Addresses between two looks at the victim's rows: a look reads every table."""


@dataclass(frozen=True)
class Principal:
    """Somebody who must not get at the victim's rows, and how the site has to answer."""

    name: str
    slug: str
    """The tenant in the path: the victim's, or the principal's own."""
    client: Client
    headers: dict[str, str] = field(default_factory=dict)
    api: frozenset[int] = REFUSED
    pages: frozenset[int] = REFUSED
    only_with_ids: bool = False
    """Knock only where a row is named (in the own tenant the rest is the principal's business)."""
    one_method: bool = False
    """Knock once at every address: whoever is refused for who they are is refused before the view
    looks at the method, which others of the matrix show for all methods."""

    def knock(self, method: str, address: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request; an exception in a view becomes a 500."""
        self.client.raise_request_exception = False
        data = json.dumps(body or {}).encode() if method != "GET" else b""
        return self.client.generic(
            method,
            address,
            data,
            content_type="application/json",
            headers={"Idempotency-Key": "probe", "If-Match": '"1"'} | self.headers,
        )


@dataclass(frozen=True)
class Fault:
    """What a gate found."""

    principal: str
    request: str
    gate: str
    detail: str

    def __str__(self) -> str:
        return f"[{self.gate}] {self.principal}: {self.request}: {self.detail}"


def probe(
    routes: Iterable[Route],
    principal: Principal,
    victim: World,
    *,
    methods: Iterable[str] = METHODS,
) -> tuple[list[Fault], int]:
    """Knock on every route by every method with the victim's ids; return faults and the count."""
    faults: list[Fault] = []
    count = 0
    before = snapshot(victim.house)
    knocked: list[str] = []

    def look() -> list[Fault]:
        nonlocal before
        before, former = snapshot(victim.house), before
        between, knocked[:] = ", ".join(knocked), []
        return _rows_gate(principal, between, former, before)

    for route in routes:
        try:
            ids = route.ids_of(victim)
        except UnknownParameter as unknown:
            faults.append(Fault(principal.name, route.pattern, "unknown", str(unknown)))
            continue
        if principal.only_with_ids and not route.names_a_row:
            continue
        address = route.fill(principal.slug, ids)
        tried = _worth_trying(route, methods)
        for method in tried[:1] if principal.one_method else tried:
            answer = principal.knock(method, address)
            count += 1
            request = f"{method} {address}"
            faults += _status_gate(principal, route, request, answer.status_code)
            faults += _sentinel_gate(principal, request, answer, victim.sentinel)
            if method == "GET" and route.is_api and ids:
                missing = principal.knock(method, route.fill(principal.slug, route.missing_ids()))
                faults += _sameness_gate(principal, request, answer, missing, ids)
        knocked.append(route.pattern)
        if len(knocked) == ROUTES_A_LOOK:
            faults += look()
    return faults + look(), count


def _worth_trying(route: Route, methods: Iterable[str]) -> list[str]:
    """Return the methods the view has; one that it has not shows that it refuses those too."""
    known = getattr(route.callback, "view_class", None)
    own = [m for m in methods if known is None or m == "GET" or hasattr(known, m.lower())]
    return own if known is not None else [m for m in own if m in {"GET", "POST"}]


def _status_gate(principal: Principal, route: Route, request: str, status: int) -> list[Fault]:
    allowed = principal.api if route.is_api else principal.pages
    if status in allowed:
        return []
    detail = f"answered {status}, allowed are {sorted(allowed)}"
    return [Fault(principal.name, request, "status", detail)]


def _sentinel_gate(principal: Principal, request: str, answer: Any, sentinel: str) -> list[Fault]:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    seen = body.decode("utf-8", "replace") + "\n".join(f"{k}: {v}" for k, v in answer.items())
    seen += "\n".join(morsel.OutputString() for morsel in answer.cookies.values())
    if sentinel.lower() not in seen.lower():
        return []
    return [Fault(principal.name, request, "sentinel", "the victim's text was in the answer")]


def _sameness_gate(
    principal: Principal, request: str, answer: Any, missing: Any, ids: dict[str, Any]
) -> list[Fault]:
    """A foreign id answers like a missing one."""
    foreign, absent = _comparable(answer, ids.values()), _comparable(missing, [987_654_321])
    if foreign == absent:
        return []
    return [Fault(principal.name, request, "sameness", f"{foreign} is not {absent}")]


def _comparable(answer: Any, ids: Iterable[Any]) -> tuple[int, str]:
    text = answer.content.decode("utf-8", "replace")
    if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        body = json.loads(text)
        body.pop("request_id", None)
        text = json.dumps(body)
    for row_id in ids:
        text = text.replace(str(row_id), "ID")
    return answer.status_code, text


def _rows_gate(
    principal: Principal, request: str, before: dict[str, str], after: dict[str, str]
) -> list[Fault]:
    changed = [table for table in after if before[table] != after[table]]
    if not changed:
        return []
    return [Fault(principal.name, request, "rows", f"the victim's {changed} changed")]


def report(faults: list[Fault]) -> str:
    """Return the faults for the reader of a failed test."""
    lines = [str(fault) for fault in faults[:25]]
    return f"{len(faults)} faults\n" + "\n".join(lines)

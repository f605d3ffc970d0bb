"""The shape of a handheld flow: one focused input, one step at a time, each scan counted once.

A flow is a ``ScanFlow``: it says what the current ``step`` is (from the database and its context),
what to do with a scan (``take``) and with a button (``press``). ``run_flow`` does the rest. The
protocol is described in ``docs/design_system.md``.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from inventory.pages.fields import quantity_field
from inventory.pages.scan_ways import way
from inventory.queries.places import warehouses
from inventory.queries.scanning import ANYTHING, Scanned, ScannedKind, resolve_scan
from tenancy.errors import Conflict, Invalid, NotFound, Refused, Text
from tenancy.pages.web import UNPROCESSABLE, send_once
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id

PAGE = "inventory/scan_base.html"
FRAGMENT = "inventory/_scan_step.html"
LONGEST_CONTEXT_VALUE = 200
COMMAND = "!"
"""A scan that begins with this presses the button of that name: printed beside the work place."""

Context = dict[str, str]


@dataclass(frozen=True)
class Stage:
    """One line of the list of steps: ``value`` is what was scanned there, empty before."""

    label: Text
    value: str = ""
    is_current: bool = False


@dataclass(frozen=True)
class Button:
    """A button of the action area: posts ``action`` with the context; ``tone`` as of buttons."""

    action: str
    label: Text
    icon: str = ""
    tone: str = ""
    confirm: Text = ""


@dataclass(frozen=True)
class Step:
    """What is to be scanned now. ``body`` is a template of the flow's own, shown with ``facts``.

    ``name`` names the step for the scanner: the same code twice within 0.7 s in the same step is
    one scan. ``is_number`` shows the keypad. ``undo`` labels the button that takes the last scan
    back; empty: there is nothing to take back. ``commands`` are actions without a button here.
    """

    name: str
    prompt: Text
    hint: Text = ""
    stages: Sequence[Stage] = ()
    body: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    buttons: Sequence[Button] = ()
    undo: Text = ""
    is_number: bool = False
    commands: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a scan: the context of the next step, what to say, and where to go if away.

    ``file`` is the address of a file that the handheld takes away, to print it.
    """

    context: Context
    message: str = ""
    target: str = ""
    file: str = ""


class ActionUnknown(Conflict):
    """A button that this step does not have was pressed."""

    code = "unknown_action"

    def __init__(self) -> None:
        super().__init__(_("This cannot be done here. Reload the page."))


class CommandUnknown(Conflict):
    """The code of a button was scanned that this step does not have."""

    code = "unknown_command"

    def __init__(self, command: str, known: Sequence[str]) -> None:
        message = _("%(command)s is not possible at this step. Possible are: %(known)s.")
        words = {"command": command, "known": ", ".join(known) or _("scans only")}
        super().__init__(message % words, command=command, known=list(known))


class ScanFlow(ABC):
    """One flow. ``keys`` names what the address may carry from step to step, in order.

    An instance serves one request. ``ids`` are the ids that the address names.
    """

    title: ClassVar[Text]
    keys: ClassVar[tuple[str, ...]] = ()
    permission: ClassVar[Permission] = Permission.FLOOR_WORK

    def __init__(self, request: HttpRequest, context: Context, **ids: int) -> None:
        self.request = request
        self.context = context
        self.ids = ids

    @abstractmethod
    def step(self) -> Step:
        """Return what is to be scanned now, from the database and the context."""

    @abstractmethod
    def take(self, scan: str) -> Outcome:
        """Do what the scan means at this step; raise ``Refused`` to say why not."""

    def press(self, action: str) -> Outcome:
        """Do what a button means at this step; ``undo`` is one. Raise ``Refused``."""
        raise ActionUnknown

    def back_url(self) -> str:
        """Return where the way out leads; empty: to the page where anything is scanned."""
        return ""

    def row_id(self, key: str) -> int | None:
        """Return the id the context carries; raise ``NotFound`` for what is no id."""
        text = self.context.get(key, "")
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise NotFound(key, text)
        return int(text)

    def amount(self, key: str) -> Decimal:
        """Return the quantity the context carries; raise ``NotFound`` for what is no number."""
        text = self.context.get(key, "")
        try:
            return Decimal(text)
        except InvalidOperation:
            raise NotFound(key, text) from None

    def resolve(
        self, scan: str, expects: frozenset[ScannedKind] = ANYTHING, product_id: int | None = None
    ) -> Scanned:
        """Return what was scanned, in the warehouse the member works in."""
        return resolve_scan(
            scan,
            warehouse_id=working_warehouse(self.request),
            expects=expects,
            product_id=product_id,
        )

    def with_context(self, **changes: object) -> Context:
        """Return the context with these changes; empty and None take a key away."""
        merged: dict[str, object] = {**self.context, **changes}
        return {key: str(value) for key, value in merged.items() if value not in (None, "")}


def run_flow(request: HttpRequest, kind: type[ScanFlow], **ids: int) -> HttpResponse:
    """Show the current step, or do what was scanned and show the next."""
    require(kind.permission)
    given = request.POST if request.method == "POST" else request.GET
    context = {key: given[key][:LONGEST_CONTEXT_VALUE] for key in kind.keys if given.get(key)}
    flow = kind(request, context, **ids)
    if request.method != "POST":
        return _page(flow)
    try:
        outcome = _once(flow)
    except NotFound:
        raise
    except Refused as refusal:
        return _answer(flow, in_words(refusal), is_refusal=True)
    if outcome.target:
        return _leave(request, outcome)
    return _go_on(kind(request, outcome.context, **ids), outcome)


def started(context: Context) -> str:
    """Return the context as the query string of a flow's address."""
    return urlencode({key: value for key, value in context.items() if value})


def in_words(refusal: Refused) -> str:
    """Return what a service refused; a scan is one line, so its number says nothing."""
    if isinstance(refusal, Invalid):
        return " ".join(str(problem.message) for problem in refusal.problems)
    return str(refusal)


def typed_quantity(text: str) -> Decimal:
    """Return the quantity typed at a step that asks for one; raise ``Invalid`` for what is none."""
    try:
        typed: Decimal = quantity_field("").clean(text.strip())
    except ValidationError as error:
        raise Invalid.field("scan", "not_a_quantity", error.messages[0]) from error
    if typed <= 0:
        raise Invalid.field("scan", "not_positive", _("The quantity must be greater than zero."))
    return typed


def working_warehouse(request: HttpRequest) -> int | None:
    """Return the warehouse the member chose to work in, or the only one; None when open."""
    known = [warehouse.pk for warehouse in warehouses()]
    chosen = request.session.get(_session_key())
    if chosen in known:
        return int(chosen)
    return known[0] if len(known) == 1 else None


def choose_warehouse(request: HttpRequest, warehouse_id: int | None) -> None:
    """Remember the warehouse the member works in, for this tenant and session."""
    if warehouse_id is None:
        request.session.pop(_session_key(), None)
    else:
        request.session[_session_key()] = warehouse_id


def _session_key() -> str:
    # one session serves several tenants
    return f"scan_warehouse:{active_tenant_id()}"


def _once(flow: ScanFlow) -> Outcome:
    """Run the scan or the button once per rendered step; a repetition gets the same outcome."""
    scan = flow.request.POST.get("scan", "")
    pressed = flow.request.POST.get("action", "")

    def effect() -> str:
        if pressed or not scan.strip().startswith(COMMAND):
            outcome = flow.press(pressed) if pressed else flow.take(scan)
        else:
            outcome = _command(flow, scan.strip())
        return json.dumps(asdict(outcome))

    return Outcome(**json.loads(send_once(flow.request, effect)))


def _command(flow: ScanFlow, scan: str) -> Outcome:
    """Press the button whose command code was scanned, or go where the code leads from anywhere."""
    step, code = flow.step(), scan.lower().removeprefix(COMMAND)
    known = [button.action for button in step.buttons] + (["undo"] if step.undo else [])
    action = next((name for name in [*known, *step.commands] if name.lower() == code), "")
    if action:
        return flow.press(action)
    target = way(flow.request, code)
    if not target:
        raise CommandUnknown(scan, [f"{COMMAND}{name}" for name in known])
    return Outcome(flow.context, target=target)


def _page(flow: ScanFlow) -> HttpResponse:
    return render(flow.request, PAGE, _shown(flow, "", is_refusal=False))


def _answer(flow: ScanFlow, message: str, *, is_refusal: bool) -> HttpResponse:
    template = FRAGMENT if _is_htmx(flow.request) else PAGE
    status = UNPROCESSABLE if is_refusal else 200
    shown = _shown(flow, message, is_refusal=is_refusal)
    return render(flow.request, template, shown, status=status)


def _go_on(flow: ScanFlow, outcome: Outcome) -> HttpResponse:
    """Show the next step; its context becomes the address, so that a reload shows it again."""
    address = f"{flow.request.path}?{started(outcome.context)}".removesuffix("?")
    if not _is_htmx(flow.request):
        if outcome.message:
            messages.success(flow.request, outcome.message)
        return redirect(outcome.file or address)
    response = _answer(flow, outcome.message, is_refusal=False)
    response["HX-Replace-Url"] = address
    if outcome.file:
        response["HX-Trigger"] = json.dumps({"scan-file": {"href": outcome.file}})
    return response


def _leave(request: HttpRequest, outcome: Outcome) -> HttpResponse:
    if outcome.message:
        messages.success(request, outcome.message)
    if not _is_htmx(request):
        return redirect(outcome.target)
    response = HttpResponse()
    response["HX-Redirect"] = outcome.target
    return response


def _shown(flow: ScanFlow, message: str, *, is_refusal: bool) -> dict[str, Any]:
    step = flow.step()
    scan = flow.request.POST.get("scan", "")[:LONGEST_CONTEXT_VALUE]
    return {
        **step.facts,
        "nav_section": "scan",
        "flow": flow,
        "step": step,
        "scan_message": message,
        "scan_result": "refused" if is_refusal else "ok" if flow.request.method == "POST" else "",
        "refused_scan": "" if scan in message else scan,
    }


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))

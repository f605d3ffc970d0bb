"""Cycle counts: requested, counted blind, reviewed, posted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import CountReason, CountState, CycleCount
from inventory.queries.counting import CountItem, RoundCount, count_items, counts, get_count
from inventory.services.count_entry import CountEntry, enter_count, submit_count, undo_entry
from inventory.services.count_review import (
    approve_count,
    post_count,
    rebase_stale,
    recount_lines,
    recount_stale,
)
from inventory.services.counting import cancel_count, request_count, start_count
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Shown, Strict, many
from tenancy.api.parameters import choice_filter, date_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class CountShown(Shown[CycleCount]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    warehouse_id = serializers.IntegerField()
    location_id = serializers.IntegerField()
    location = serializers.CharField(source="location.code")
    product_id = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=CountState.choices)
    reason = serializers.ChoiceField(choices=CountReason.choices)
    is_blind = serializers.BooleanField()
    due_on = serializers.DateField(allow_null=True)
    round_number = serializers.IntegerField()
    note = serializers.CharField()
    requested_by = serializers.CharField(source="requested_by_label")
    requested_at = serializers.DateTimeField()
    counted_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField(source="approved_by_label")
    approved_at = serializers.DateTimeField(allow_null=True)
    posted_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class RoundShown(Shown[RoundCount]):
    round_number = serializers.IntegerField()
    counted = QuantityField()
    counted_by = serializers.CharField()
    counted_at = serializers.DateTimeField()


class CountItemShown(Shown[CountItem]):
    line_id = serializers.IntegerField(allow_null=True)
    product_id = serializers.IntegerField(source="product.pk")
    sku = serializers.CharField(source="product.sku")
    lot_id = serializers.IntegerField(source="lot.pk", default=None, allow_null=True)
    lot = serializers.CharField(source="lot.code", default=None, allow_null=True)
    is_open = serializers.BooleanField(help_text="Still to be counted in this round.")
    counted = QuantityField(allow_null=True)
    expected = QuantityField(allow_null=True, help_text="Null while a blind count is counted.")
    variance = QuantityField(allow_null=True)
    moved_since = QuantityField(allow_null=True)
    unit_cost = MoneyField(allow_null=True)
    is_outside = serializers.BooleanField(help_text="Above the tolerance.")
    is_stale = serializers.BooleanField(help_text="Stock moved since it was counted.")
    rounds = RoundShown(many=True)


class CountDetailShown(CountShown):
    items = CountItemShown(many=True)


class NewCount(Strict):
    location_id = IdField()
    product_id = IdField(required=False, allow_null=True)
    due_on = serializers.DateField(required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


class NewEntry(Strict):
    product_id = IdField()
    counted = QuantityField()
    lot_id = IdField(required=False, allow_null=True)
    lot_code = serializers.CharField(required=False, allow_blank=True, max_length=64)
    expires_on = serializers.DateField(required=False, allow_null=True)


class NewEntries(Strict):
    entries = many(NewEntry)


class Undoing(Strict):
    line_id = IdField(required=False, help_text="Left out: what you entered last.")


class Submission(Strict):
    uncounted_are_zero = serializers.BooleanField(
        required=False, help_text="Confirms that nothing is here of what was not counted."
    )


class Approval(Strict):
    then_post = serializers.BooleanField(required=False)


class Recount(Strict):
    line_ids = serializers.ListField(
        child=IdField(),
        required=False,
        max_length=500,
        help_text="Left out: every line whose stock moved since.",
    )


class CountCancellation(Strict):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


@dataclass(frozen=True)
class Detail:
    """A count with what it is about."""

    count: CycleCount
    items: list[CountItem]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.count, name)


def _detail(count: CycleCount) -> Detail:
    known = get_count(count.pk)
    return Detail(known, count_items(known))


class CountList(TenantView):
    @listing(
        Endpoint("list_cycle_counts", Permission.READ, "Cycle counts"),
        Listing(
            CountShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "state": choice_filter("state", CountState.choices),
                "reason": choice_filter("reason", CountReason.choices),
                "warehouse_id": id_filter("warehouse_id"),
                "location_id": id_filter("location_id"),
                "product_id": id_filter("product_id"),
                "number": text_filter("number"),
                "due_until": date_filter("due_on__lte", help="Last day it is due."),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return counts()

    @writing(
        Endpoint(
            "request_cycle_count",
            Permission.FLOOR_WORK,
            "Have a place counted; the count that is open there already is returned",
        ),
        Writing(CountDetailShown, NewCount, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return _detail(request_count(**data))


class CountDetail(TenantView):
    @reading(
        Endpoint("get_cycle_count", Permission.READ, "A count with its items"), CountDetailShown
    )
    def get(self, request: Request, cycle_count_id: int) -> Any:
        return _detail(get_count(cycle_count_id))


class CountStart(TenantView):
    @writing(
        Endpoint("start_cycle_count", Permission.FLOOR_WORK, "Take a count and begin it"),
        Writing(CountDetailShown, key_required=True),
    )
    def post(self, request: Request, cycle_count_id: int, *, data: dict[str, Any]) -> Any:
        return _detail(start_count(cycle_count_id=cycle_count_id))


class CountEntries(TenantView):
    @writing(
        Endpoint("enter_cycle_count", Permission.FLOOR_WORK, "Enter what was found"),
        Writing(CountDetailShown, NewEntries, key_required=True),
    )
    def post(self, request: Request, cycle_count_id: int, *, data: dict[str, Any]) -> Any:
        entries = [CountEntry(**entry) for entry in data["entries"]]
        enter_count(cycle_count_id=cycle_count_id, entries=entries)
        return _detail(get_count(cycle_count_id))


class CountUndo(TenantView):
    @writing(
        Endpoint("undo_cycle_count_entry", Permission.FLOOR_WORK, "Take an entry back"),
        Writing(CountDetailShown, Undoing, key_required=True),
    )
    def post(self, request: Request, cycle_count_id: int, *, data: dict[str, Any]) -> Any:
        undo_entry(cycle_count_id=cycle_count_id, **data)
        return _detail(get_count(cycle_count_id))


class CountSubmission(TenantView):
    @writing(
        Endpoint("submit_cycle_count", Permission.FLOOR_WORK, "Hand a round in"),
        Writing(CountDetailShown, Submission, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, cycle_count_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        return _detail(submit_count(cycle_count_id=cycle_count_id, version=version, **data))


class CountApproval(TenantView):
    @writing(
        Endpoint("approve_cycle_count", Permission.APPROVE, "Accept what was counted"),
        Writing(CountDetailShown, Approval, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, cycle_count_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        return _detail(approve_count(cycle_count_id=cycle_count_id, version=version, **data))


class CountPosting(TenantView):
    @writing(
        Endpoint("post_cycle_count", Permission.APPROVE, "Post the variances"),
        Writing(CountDetailShown, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, cycle_count_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        return _detail(post_count(cycle_count_id=cycle_count_id, version=version))


class CountRecount(TenantView):
    @writing(
        Endpoint("recount_cycle_count", Permission.APPROVE, "Have lines counted again"),
        Writing(CountDetailShown, Recount, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, cycle_count_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        wanted = {"cycle_count_id": cycle_count_id, "version": version}
        if "line_ids" in data:
            return _detail(recount_lines(line_ids=data["line_ids"], **wanted))
        return _detail(recount_stale(**wanted))


class CountRebase(TenantView):
    @writing(
        Endpoint("rebase_cycle_count", Permission.APPROVE, "Add what moved since to the count"),
        Writing(CountDetailShown, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, cycle_count_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        return _detail(rebase_stale(cycle_count_id=cycle_count_id, version=version))


class CountCancelling(TenantView):
    @writing(
        Endpoint("cancel_cycle_count", Permission.APPROVE, "Give a count up"),
        Writing(CountDetailShown, CountCancellation, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, cycle_count_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        return _detail(cancel_count(cycle_count_id=cycle_count_id, version=version, **data))

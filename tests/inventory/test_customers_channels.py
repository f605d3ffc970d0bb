"""Customers, segments, channels, and the stock kept for and from channels."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.models import ChannelKind, ChannelStock, Customer
from inventory.services.channels import (
    ChannelFields,
    KeptStock,
    create_channel,
    remove_channel_stock,
    set_channel_stock,
    update_channel,
)
from inventory.services.customers import (
    CustomerFields,
    create_customer,
    create_segment,
    update_customer,
    update_segment,
)
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_product


def test_a_customer_is_created_and_changed(in_north: House) -> None:
    segment = create_segment(code="B2B", name="Business")
    fields = CustomerFields(code="C1", name="Carla", segment_id=segment.pk)
    customer = create_customer(fields=fields)
    update_customer(customer_id=customer.pk, fields=CustomerFields(code="C1", name="Carla K."))
    customer.refresh_from_db()
    assert (customer.name, customer.segment_id) == ("Carla K.", None)
    update_customer(customer_id=customer.pk, fields=CustomerFields(code="C1", name="Carla K."))
    events = AuditEvent.objects.filter(subject_kind="Customer").values_list("action", flat=True)
    assert sorted(events) == ["customer.created", "customer.updated"]
    assert update_segment(segment_id=segment.pk, code="B2B", name="Firms").name == "Firms"


def test_customers_that_cannot_be_are_refused(in_north: House) -> None:
    create_customer(fields=CustomerFields(code="C1", name="Carla"))
    with pytest.raises(Invalid) as refused:
        create_customer(fields=CustomerFields(code="C1", name="Carl"))
    assert (refused.value.problems[0].field, refused.value.problems[0].code) == ("code", "taken")
    with pytest.raises(Invalid):
        create_customer(fields=CustomerFields(code="", name="Carl"))
    with pytest.raises(NotFound):
        create_customer(fields=CustomerFields(code="C2", name="Carl", segment_id=2**62))
    assert Customer.objects.count() == 1


def test_a_channel_is_created_and_taken_out_of_use(in_north: House) -> None:
    channel = create_channel(fields=ChannelFields(code="WEB", name="Web", kind=ChannelKind.ONLINE))
    with pytest.raises(Invalid):
        create_channel(fields=ChannelFields(code="WEB", name="Other"))
    fields = ChannelFields(code="WEB", name="Web", kind=ChannelKind.ONLINE, is_active=False)
    update_channel(channel_id=channel.pk, fields=fields)
    channel.refresh_from_db()
    assert not channel.is_active


def test_stock_is_kept_for_and_from_a_channel(site: Site) -> None:
    apple = make_product()
    channel = create_channel(fields=ChannelFields(code="WEB", name="Web"))
    where = {
        "channel_id": channel.pk,
        "product_id": apple.pk,
        "warehouse_id": site.warehouse.pk,
    }
    row = set_channel_stock(**where, kept=KeptStock(buffer=Decimal(3)))
    assert (row.version, row.buffer, row.ring_fenced) == (1, 3, 0)
    row = set_channel_stock(**where, kept=KeptStock(ring_fenced=Decimal(5)), version=1)
    assert (row.version, row.buffer, row.ring_fenced) == (2, 0, 5)
    with pytest.raises(StaleVersion):
        set_channel_stock(**where, kept=KeptStock(), version=1)
    for quantity in ("-1", "0.5", "NaN", "1e400"):
        with pytest.raises(Invalid) as refused:
            set_channel_stock(**where, kept=KeptStock(buffer=Decimal(quantity)))
        assert refused.value.problems[0].field == "buffer"
    with pytest.raises(NotFound):
        set_channel_stock(**(where | {"channel_id": 2**62}), kept=KeptStock())
    assert ChannelStock.objects.get().ring_fenced == 5
    with pytest.raises(StaleVersion):
        remove_channel_stock(channel_stock_id=row.pk, version=1)
    remove_channel_stock(channel_stock_id=row.pk, version=2)
    assert not ChannelStock.objects.exists()


def test_an_operator_does_not_change_who_is_sold_to(north: House) -> None:
    with north.scope("operator"):
        for refused in (
            lambda: create_customer(fields=CustomerFields(code="C", name="C")),
            lambda: create_segment(code="S", name="S"),
            lambda: create_channel(fields=ChannelFields(code="C", name="C")),
        ):
            with pytest.raises(PermissionRefused):
                refused()

"""What a new tenant has from the first day."""

from __future__ import annotations

import pytest

from inventory.models import Channel
from tenancy.scope import Actor, tenant_scope
from tenancy.services.tenants import TenantFields, create_tenant


@pytest.mark.django_db
@pytest.mark.parametrize(("is_demo", "codes"), [(False, ["direct"]), (True, [])])
def test_a_tenant_begins_with_a_channel_and_a_demo_brings_its_own(
    is_demo: bool, codes: list[str]
) -> None:
    tenant = create_tenant(fields=TenantFields(slug="east", name="East", is_demo=is_demo))
    with tenant_scope(tenant, actor=Actor.system("test")):
        assert list(Channel.objects.values_list("code", flat=True)) == codes

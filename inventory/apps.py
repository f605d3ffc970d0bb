from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from inventory.services.defaults import prepare_inventory
        from tenancy.services.tenants import on_tenant_created

        on_tenant_created(prepare_inventory)

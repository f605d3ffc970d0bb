from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class TenancyConfig(AppConfig):
    name = "tenancy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tenancy import checks  # noqa: F401  registers the boot checks

        # whoever queues a job must know its kind, not only the workers
        autodiscover_modules("tasks")

"""Django's PostgreSQL backend for tables whose database key is (tenant_id, id).

Django sees ``id`` as the primary key, PostgreSQL sees ``(tenant_id, id)``. Grouping by ``id`` alone
would then be refused (the other columns are not functionally dependent on it), so aggregates group
by every selected column.
"""

from django.db.backends.postgresql import base, features


class DatabaseFeatures(features.DatabaseFeatures):
    allows_group_by_selected_pks = False


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures

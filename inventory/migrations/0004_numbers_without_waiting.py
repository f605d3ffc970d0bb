"""Numbers of documents come from one sequence per tenant and kind, so nobody waits for a commit.

The application may not create sequences, so two functions of the owner do it. They serve the active
tenant only, know the kinds, and look names up nowhere but in the system's catalogue.
"""

from django.db import migrations, models

KINDS = ("PO", "RC", "SO", "WV", "PK", "SH", "TO", "CC", "CR", "SR")

SCHEMA = """
    CREATE SCHEMA document_numbers;
    GRANT USAGE ON SCHEMA document_numbers TO wms_backup;
    ALTER DEFAULT PRIVILEGES IN SCHEMA document_numbers GRANT SELECT ON SEQUENCES TO wms_backup
"""

# a sequence is created after the number the tenant's row names, if there is one
OPEN = """
CREATE FUNCTION open_document_numbers(for_tenant bigint, for_kind text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    active bigint := nullif(current_setting('app.tenant_id', true), '')::bigint;
    name text := for_tenant || '_' || for_kind;
    last bigint;
BEGIN
    IF for_tenant IS NULL OR for_tenant IS DISTINCT FROM active THEN
        RAISE EXCEPTION 'these numbers belong to another tenant'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF for_kind IS NULL OR for_kind <> ALL ('{KINDS}'::text[]) THEN
        RAISE EXCEPTION 'no documents of the kind % are numbered', for_kind
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT last_number INTO last FROM public.inventory_documentnumber
        WHERE tenant_id = for_tenant AND kind = for_kind;
    -- of two that create it at once the second waits, and then finds it there
    EXECUTE format('CREATE SEQUENCE document_numbers.%I START WITH %s', name,
        coalesce(last, 0) + 1);
EXCEPTION WHEN unique_violation OR duplicate_table THEN
    NULL;
END $$
"""
TAKE = """
CREATE FUNCTION take_document_numbers(for_tenant bigint, for_kind text, how_many integer)
RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    active bigint := nullif(current_setting('app.tenant_id', true), '')::bigint;
    name text;
BEGIN
    IF for_tenant IS NULL OR for_tenant IS DISTINCT FROM active THEN
        RAISE EXCEPTION 'these numbers belong to another tenant'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF how_many IS NULL OR how_many NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'between 1 and 100000 numbers are taken at once, not %', how_many
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    name := format('document_numbers.%I', for_tenant || '_' || coalesce(for_kind, ''));
    IF to_regclass(name) IS NULL THEN
        PERFORM public.open_document_numbers(for_tenant, for_kind);
    END IF;
    RETURN ARRAY(SELECT nextval(name::regclass) FROM generate_series(1, how_many));
END $$
"""
RIGHTS = """
    REVOKE ALL ON FUNCTION open_document_numbers(bigint, text) FROM PUBLIC;
    REVOKE ALL ON FUNCTION take_document_numbers(bigint, text, integer) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION open_document_numbers(bigint, text) TO wms_app;
    GRANT EXECUTE ON FUNCTION take_document_numbers(bigint, text, integer) TO wms_app
"""
OPEN_FOR_ALL = """
DO $$
DECLARE
    tenant bigint;
    kind text;
BEGIN
    FOR tenant IN SELECT id FROM tenancy_tenant LOOP
        PERFORM set_config('app.tenant_id', tenant::text, true);
        FOREACH kind IN ARRAY '{KINDS}'::text[] LOOP
            PERFORM open_document_numbers(tenant, kind);
        END LOOP;
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END $$
"""
# going back: the rows say again what was given last
WRITE_BACK = """
DO $$
DECLARE
    known record;
BEGIN
    FOR known IN
        SELECT split_part(sequencename, '_', 1)::bigint AS tenant,
            split_part(sequencename, '_', 2) AS kind, last_value
        FROM pg_sequences WHERE schemaname = 'document_numbers' AND last_value IS NOT NULL
    LOOP
        PERFORM set_config('app.tenant_id', known.tenant::text, true);
        INSERT INTO inventory_documentnumber (tenant_id, kind, last_number)
        SELECT id, known.kind, known.last_value FROM tenancy_tenant WHERE id = known.tenant
        ON CONFLICT (tenant_id, kind) DO UPDATE SET last_number = EXCLUDED.last_number;
    END LOOP;
    PERFORM set_config('app.tenant_id', '', true);
END $$
"""
CLOSE = """
    DROP FUNCTION take_document_numbers(bigint, text, integer);
    DROP FUNCTION open_document_numbers(bigint, text);
    DROP SCHEMA document_numbers CASCADE
"""


def _with_kinds(statement: str) -> str:
    return statement.replace("{KINDS}", "{" + ",".join(KINDS) + "}")


class Migration(migrations.Migration):
    dependencies = [("inventory", "0003_warehouse_execution")]

    operations = [
        migrations.AlterField(
            model_name="documentnumber",
            name="kind",
            field=models.CharField(
                choices=[
                    ("PO", "Purchase order"),
                    ("RC", "Receipt"),
                    ("SO", "Sales order"),
                    ("WV", "Wave"),
                    ("PK", "Package"),
                    ("SH", "Shipment"),
                    ("TO", "Transfer"),
                    ("CC", "Cycle count"),
                    ("CR", "Customer return"),
                    ("SR", "Return to supplier"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="documentnumber",
            name="last_number",
            field=models.BigIntegerField(
                default=0, help_text="Numbers go on after this one when the kind is first used."
            ),
        ),
        migrations.RunSQL([(statement.strip(), None) for statement in SCHEMA.split(";")], CLOSE),
        migrations.RunSQL([(_with_kinds(OPEN), None)], migrations.RunSQL.noop),
        migrations.RunSQL([(TAKE, None)], migrations.RunSQL.noop),
        migrations.RunSQL(
            [(statement.strip(), None) for statement in RIGHTS.split(";")], WRITE_BACK
        ),
        migrations.RunSQL([(_with_kinds(OPEN_FOR_ALL), None)], migrations.RunSQL.noop),
    ]

"""A tenant chooses where the numbers of a kind begin, beyond those given already."""

from django.db import migrations

# an ALTER holds the sequence until the transaction ends, so that the number read below is the last
BEGIN = """
CREATE FUNCTION begin_document_numbers(for_tenant bigint, for_kind text, next_number bigint)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
    given bigint;
BEGIN
    -- refuses another tenant and an unknown kind
    PERFORM public.open_document_numbers(for_tenant, for_kind);
    name := format('document_numbers.%I', for_tenant || '_' || for_kind);
    EXECUTE format('ALTER SEQUENCE %s INCREMENT BY 1', name);
    EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM %s', name)
        INTO given;
    IF next_number IS NULL OR next_number <= given THEN
        RETURN given;
    END IF;
    EXECUTE format('ALTER SEQUENCE %s RESTART WITH %s', name, next_number);
    RETURN NULL;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0011_corrections_found")]

    operations = [
        migrations.RunSQL(
            [
                (BEGIN, None),
                (
                    "REVOKE ALL ON FUNCTION begin_document_numbers(bigint, text, bigint) "
                    "FROM PUBLIC",
                    None,
                ),
                (
                    "GRANT EXECUTE ON FUNCTION begin_document_numbers(bigint, text, bigint) "
                    "TO wms_app",
                    None,
                ),
            ],
            "DROP FUNCTION begin_document_numbers(bigint, text, bigint)",
        ),
    ]

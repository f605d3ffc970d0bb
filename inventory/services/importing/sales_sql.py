"""Statements of a sales import. Row level security refuses COPY: arrays are unnested."""

LOCK_IMPORTS = "SELECT pg_advisory_xact_lock(hashtextextended('import_sales', %s))"

# conditions are checked by the chunk, not all at the end: progress stays true and memory flat
CHECK_AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE"

INSERT_LINES = """
    WITH new AS (
        INSERT INTO inventory_importedsale (
            tenant_id, file_id, line_key, document, product_id, warehouse_id, channel_id,
            segment_id,
            customer_id, sold_at, business_day, quantity, unit_price, is_cancelled)
        SELECT %(tenant)s, %(file)s, x.*, false
        FROM unnest(
            %(keys)s::bytea[], %(documents)s::text[], %(products)s::bigint[],
            %(warehouses)s::bigint[], %(channels)s::bigint[], %(segments)s::bigint[],
            %(customers)s::bigint[], %(moments)s::timestamptz[], %(days)s::date[],
            %(quantities)s::numeric[], %(prices)s::numeric[]) AS x
        ON CONFLICT (tenant_id, line_key) DO NOTHING
        RETURNING id, quantity, unit_price, business_day)
    SELECT count(*), count(*) FILTER (WHERE quantity > 0),
           coalesce(sum(quantity) FILTER (WHERE quantity > 0), 0),
           coalesce(sum(quantity * unit_price) FILTER (WHERE quantity > 0), 0),
           min(id), min(business_day), max(business_day)
    FROM new
"""

# every line of a known customer that an open return of the tenant could take back, and the returns
CANCELLATION_CANDIDATES = """
    WITH touched AS (
        SELECT DISTINCT product_id, customer_id, -quantity AS size
        FROM inventory_importedsale
        WHERE tenant_id = %(tenant)s AND quantity < 0 AND NOT is_cancelled
          AND customer_id IS NOT NULL)
    SELECT s.id, s.product_id, s.customer_id, s.quantity, s.unit_price
    FROM inventory_importedsale s
    JOIN touched t ON t.product_id = s.product_id AND t.customer_id = s.customer_id
        AND t.size = abs(s.quantity)
    WHERE s.tenant_id = %(tenant)s AND NOT s.is_cancelled
      AND (s.unit_price IS NULL OR s.unit_price > 0)
    ORDER BY s.sold_at, s.id
"""

MARK_CANCELLED = """
    WITH marked AS (
        UPDATE inventory_importedsale SET is_cancelled = true
        WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[])
        RETURNING quantity, unit_price)
    SELECT count(*), coalesce(sum(quantity), 0), coalesce(sum(quantity * unit_price), 0)
    FROM marked WHERE quantity > 0
"""

OPEN_RETURNS_OF_FILE = """
    SELECT count(*), coalesce(sum(quantity), 0), coalesce(sum(quantity * unit_price), 0)
    FROM inventory_importedsale
    WHERE tenant_id = %(tenant)s AND id >= %(first)s AND file_id = %(file)s
      AND quantity < 0 AND NOT is_cancelled
"""

ADD_DEMAND = """
    INSERT INTO inventory_dailydemand AS d (
        tenant_id, product_id, warehouse_id, channel_id, segment_id, business_day,
        quantity, revenue, order_lines)
    SELECT tenant_id, product_id, warehouse_id, channel_id, segment_id, business_day,
           sum(quantity), coalesce(sum(quantity * unit_price), 0), count(*)
    FROM inventory_importedsale
    WHERE tenant_id = %(tenant)s AND id >= %(first)s AND file_id = %(file)s
      AND quantity > 0 AND NOT is_cancelled
    GROUP BY tenant_id, product_id, warehouse_id, channel_id, segment_id, business_day
    ORDER BY product_id, warehouse_id, business_day, channel_id, segment_id
    ON CONFLICT (tenant_id, product_id, warehouse_id, business_day, channel_id, segment_id)
    DO UPDATE SET quantity = d.quantity + EXCLUDED.quantity,
                  revenue = d.revenue + EXCLUDED.revenue,
                  order_lines = d.order_lines + EXCLUDED.order_lines
"""

# sales that an earlier import counted and a cancellation of this one takes back
SUBTRACT_DEMAND = """
    UPDATE inventory_dailydemand d
    SET quantity = d.quantity - x.quantity,
        revenue = d.revenue - x.revenue,
        order_lines = d.order_lines - x.order_lines
    FROM (
        SELECT product_id, warehouse_id, channel_id, segment_id, business_day,
               sum(quantity) AS quantity, coalesce(sum(quantity * unit_price), 0) AS revenue,
               count(*) AS order_lines
        FROM inventory_importedsale
        WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[])
        GROUP BY product_id, warehouse_id, channel_id, segment_id, business_day) x
    WHERE d.tenant_id = %(tenant)s AND d.product_id = x.product_id
      AND d.warehouse_id = x.warehouse_id AND d.business_day = x.business_day
      AND d.channel_id IS NOT DISTINCT FROM x.channel_id
      AND d.segment_id IS NOT DISTINCT FROM x.segment_id
"""
FORGET_EMPTY_DAYS = """
    DELETE FROM inventory_dailydemand d
    USING (SELECT DISTINCT product_id, business_day FROM inventory_importedsale
           WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[])) x
    WHERE d.tenant_id = %(tenant)s AND d.product_id = x.product_id
      AND d.business_day = x.business_day AND d.order_lines = 0 AND d.quantity = 0
"""
# a product that no price is known of is worth what it last sold for; sorted once, then joined:
# without statistics of the new rows the planner would sort them again for each product
LEARN_PRICES = """
    WITH x AS MATERIALIZED (
        SELECT DISTINCT ON (product_id) product_id, unit_price
        FROM inventory_importedsale
        WHERE tenant_id = %(tenant)s AND id >= %(first)s AND file_id = %(file)s
          AND quantity > 0 AND unit_price > 0 AND NOT is_cancelled
        ORDER BY product_id, sold_at DESC, id DESC)
    UPDATE inventory_product p SET unit_price = x.unit_price, version = version + 1
    FROM x WHERE p.tenant_id = %(tenant)s AND p.id = x.product_id AND p.unit_price IS NULL
"""
COUNT_BY_FRACTIONS = """
    UPDATE inventory_product SET whole_units = false, version = version + 1
    WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[]) AND whole_units
"""

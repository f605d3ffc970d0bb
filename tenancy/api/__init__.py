"""The API's conventions, and how to add an endpoint to it.

Put the views of a subject in ``<app>/api/<subject>.py``, their addresses in ``<app>/api/urls.py``
(below ``/api/v1/<tenant>/``, no trailing slash, ids as ``<int:product_id>``). A view is a
``TenantView``; each method is decorated with one of three shapes and makes one domain call:

    class ForecastShown(Shown[Forecast]):                    # output: every member is named
        id = serializers.IntegerField()
        quantity = QuantityField()                           # exact numbers are text, both ways

    class NewOrder(Strict):                                  # input: unknown fields are refused
        supplier_id = IdField()

    class ForecastList(TenantView):
        @listing(                                            # returns a queryset
            Endpoint("list_forecasts", Permission.READ, "Forecasts"),
            Listing(
                ForecastShown,
                orders={"id": ("id",), "-id": ("-id",)},     # first is the usual; unique, no NULLs
                filters={"product_id": id_filter("product_id")},
            ),
        )
        def get(self, request): return forecasts()

    class ForecastDetail(TenantView):
        @reading(Endpoint("get_forecast", Permission.READ), ForecastShown)
        def get(self, request, forecast_id): return get_forecast(forecast_id)

    class OrderList(TenantView):
        @writing(
            Endpoint("create_order", Permission.BUY),
            Writing(OrderShown, NewOrder, status=201, key_required=True),
        )
        def post(self, request, *, data): return create_order(**data)

What comes with it:

- The tenant's scope is open, the caller is recognised (``Authorization: Bearer sc_...`` or the
  site's session with CSRF), its right checked, its calls counted (429 with Retry-After).
- ``key_required=True`` for what moves stock, money or orders: without an ``Idempotency-Key`` 400.
  Any write takes a key; same key and body give the stored answer, another body 422, a first request
  still running 409. The write is one savepoint: a refusal leaves nothing behind.
- ``versioned=True`` for editable documents: the method gets ``version`` from ``If-Match`` (428
  missing) and the service raises ``StaleVersion`` (412). A result with ``version`` gets an ETag.
- ``partial=True`` for PATCH: ``data`` has only what was sent.
- Exceptions are answered by ``problems.handle_exception``: ``tenancy.errors`` (NotFound 404,
  Conflict 409, StaleVersion 412, Invalid 400), ``PermissionRefused`` 403, anything else 500 without
  details. Let them pass; never catch them in a view. Queries offer ``get_x(id)`` that raise
  ``NotFound``, so that a foreign id answers like a missing one.
- Query parameters come from the declared filters only; ``reading(..., day=date_filter())`` hands
  them to the method as ``asked``, a dict.
- ``docs/openapi.yaml`` is committed: run ``manage.py spectacular --validate --file
  docs/openapi.yaml`` after a change. Operation ids never change.
- ``tests/isolation/test_route_matrix.py`` finds the new address by itself and fails until it knows
  a row to probe it with.
"""

"""The pages of importing, and the job behind them."""

import datetime as dt
import io
import threading
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from inventory import tasks
from inventory.models import DailyDemand, ImportedFile, ImportedSale, Product, Warehouse
from inventory.services.places import create_warehouse
from tenancy.models import Job, JobState
from tenancy.services import jobs

TEXT = "invoice,sku,quantity,timestamp,unit_price,customer_id,country\n" + "".join(
    f"{i},SKU{i % 7},2,2010-12-{i % 28 + 1:02} 08:26,2.55,17850,UK\n" for i in range(300)
)


@pytest.fixture
def shop(north, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    with north.scope():
        create_warehouse(code="HAM", name="Hamburg")
    return north


def upload(shop, text=TEXT, kind="sales", role="manager"):
    content = text if isinstance(text, bytes) else text.encode()
    return shop.client(role).post(
        shop.path("import/"), {"kind": kind, "file": SimpleUploadedFile("sales.csv", content)}
    )


def choices(**changes):
    return {
        "column_sku": "sku", "column_quantity": "quantity", "column_sold_at": "timestamp",
        "column_document": "invoice", "column_unit_price": "unit_price",
        "column_customer": "customer_id", "column_country": "country", "warehouse": "HAM",
        "on_bad_rows": "refuse", "create_products": "on", "goods_pattern": r".*\d",
    } | changes  # fmt: skip


def run_queued(shop):
    with shop.scope():
        job = Job.objects.latest("id")
    return jobs.run_job(job)


@pytest.mark.django_db(transaction=True)
def test_a_file_goes_from_upload_to_report(shop):
    answer = upload(shop)
    assert answer.status_code == 302
    client = shop.client("manager")
    page = client.get(answer.url)
    assert "Which column is which?" in page.text
    assert '<option value="timestamp" selected>' in page.text
    started = client.post(answer.url, choices())
    assert started.status_code == 302
    assert "Waiting for a worker" in client.get(answer.url).text
    job = run_queued(shop)
    assert job.state == JobState.DONE, job.reason
    assert job.result["imported"]["rows"] == 300
    page = client.get(answer.url)
    assert "Left out, and why" in page.text
    with shop.scope():
        # 300 lines of 2 pieces
        assert sum(DailyDemand.objects.values_list("quantity", flat=True)) == 600
        assert ImportedFile.objects.get().completed_at is not None


@pytest.mark.django_db(transaction=True)
def test_wrong_rows_end_in_a_report_that_can_be_downloaded(shop):
    detail = upload(shop, TEXT + '9,SKU1,"=cmd()",2010-12-01,1,1,UK\n').url
    client = shop.client("manager")
    client.post(detail, choices())
    job = run_queued(shop)
    assert job.state == JobState.FAILED
    assert "row 302, quantity '=cmd()' is not a number." in job.reason
    with shop.scope():
        assert not ImportedSale.objects.exists()
        assert not Product.objects.exists()
    assert "Nothing was imported" in client.get(detail).text
    errors = client.get(f"{detail}errors.csv")
    assert errors["Content-Type"].startswith("text/csv")
    assert "302,quantity,'=cmd(),is not a number." in errors.content.decode("utf-8-sig")
    # the choice can be changed and the import started again
    client.post(detail, choices(on_bad_rows="skip"))
    assert run_queued(shop).state == JobState.DONE
    with shop.scope():
        assert ImportedSale.objects.count() == 300


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_import_leaves_nothing(shop, monkeypatch):
    monkeypatch.setattr("inventory.services.importing.sales.CHUNK_ROWS", 10)
    monkeypatch.setattr(tasks.Relay, "SECONDS", 0.01)
    monkeypatch.setattr(jobs, "PROGRESS_SECONDS", 0)
    detail = upload(shop).url
    shop.client("manager").post(detail, choices())
    reached = threading.Event()
    tell = tasks.Relay.tell

    def slow(self, done, total, message):
        if done:
            if not reached.is_set():
                with_own_connection(lambda: shop.client("manager").post(f"{detail}cancel/"))
                reached.set()
            time.sleep(0.05)
        tell(self, done, total, message)

    monkeypatch.setattr(tasks.Relay, "tell", slow)
    assert run_queued(shop).state == JobState.CANCELLED
    with shop.scope():
        assert not ImportedSale.objects.exists()


def with_own_connection(work):
    from django.db import connection

    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_lost_its_lease_commits_nothing_and_the_next_one_finishes(shop, monkeypatch):
    detail = upload(shop).url
    shop.client("manager").post(detail, choices())
    original = tasks.run_import

    def taken_over(run):
        def steal():
            with shop.scope():
                Job.objects.update(fencing_token=99)

        with_own_connection(steal)
        return original(run)

    monkeypatch.setattr(tasks, "run_import", taken_over)
    run_queued(shop)
    with shop.scope():
        assert not ImportedSale.objects.exists()
        Job.objects.update(state=JobState.QUEUED)
    monkeypatch.setattr(tasks, "run_import", original)
    assert run_queued(shop).state == JobState.DONE
    with shop.scope():
        assert ImportedSale.objects.count() == 300


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "The file is empty"), (b"x" * 2_000_000, "at most 1 MB")],
)
def test_an_upload_that_cannot_be_is_refused_on_the_page(shop, settings, content, told):
    settings.UPLOAD_MOST_BYTES = 2**20
    answer = upload(shop, content)
    assert answer.status_code == 422
    assert told in answer.text
    with shop.scope():
        assert not ImportedFile.objects.exists()


def test_a_file_that_is_no_table_says_so_when_its_columns_are_shown(shop):
    page = shop.client("manager").get(upload(shop, b"\x89PNG\r\n\x1a\n\x01\x02" * 99).url)
    assert page.status_code == 422
    assert "is not text" in page.text


def test_a_missing_column_is_told_at_its_field(shop):
    detail = upload(shop).url
    answer = shop.client("manager").post(detail, choices(column_sold_at=""))
    assert answer.status_code == 422
    with shop.scope():
        assert not Job.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "operator", "planner"])
def test_only_managers_upload(shop, role):
    assert upload(shop, role=role).status_code == 403
    assert shop.client(role).get(shop.path("import/")).status_code == 200


@pytest.mark.parametrize("rest", ["", "progress/", "errors.csv", "cancel/"])
def test_an_import_of_another_tenant_answers_like_a_missing_one(shop, south, rest):
    detail = upload(shop).url
    file_id = detail.rstrip("/").rpartition("/")[2]
    theirs = getattr(south.client("manager"), "post" if rest == "cancel/" else "get")
    foreign = theirs(south.path(f"import/{file_id}/{rest}"))
    missing = theirs(south.path(f"import/{int(file_id) + 999}/{rest}"))
    assert foreign.status_code == missing.status_code == 404
    assert Client().get(detail).status_code == 302


@pytest.mark.parametrize(("code", "pattern"), [("APPLE", "."), ("A1", r".*\d")])
def test_the_rule_for_goods_fits_the_codes_of_the_file(shop, code, pattern):
    detail = upload(shop, f"sku,date,quantity\n{code},2026-01-01,3\nPOST,2026-01-01,1\n").url
    page = shop.client("manager").get(detail).text
    assert f'name="goods_pattern" value="{pattern}"' in page


@pytest.mark.django_db(transaction=True)
def test_the_first_import_of_an_empty_tenant_creates_its_warehouse(north, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    client = north.client("manager")
    client.post(upload(north).url, choices(warehouse=""))
    job = run_queued(north)
    assert job.state == JobState.DONE, job.reason
    with north.scope():
        assert [warehouse.code for warehouse in Warehouse.objects.all()] == ["MAIN"]


@pytest.mark.django_db(transaction=True)
def test_a_workbook_goes_from_upload_to_report(shop):
    book = Workbook()
    for row in (["sku", "date", "quantity"], ["A1", dt.date(2026, 1, 5), 3]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    detail = upload(shop, content.getvalue()).url
    fields = {"column_sku": "sku", "column_sold_at": "date", "column_quantity": "quantity"}
    sent = {name: "" for name in choices() if name.startswith("column_")} | fields
    assert shop.client("manager").post(detail, choices(**sent)).status_code == 302
    job = run_queued(shop)
    assert job.state == JobState.DONE, job.reason
    with shop.scope():
        assert DailyDemand.objects.get().quantity == 3

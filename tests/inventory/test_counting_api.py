"""Counting by API: blind while it is counted, versioned while it is reviewed."""

from __future__ import annotations

from typing import Any

from inventory.models import CycleCount
from tests.api.calls import Caller, by_session
from tests.inventory.book import Stocked, on_hand
from tests.inventory.counts import EXPECTED, tolerate, without_random_words


def sent(caller: Caller, count: dict[str, Any], step: str, body: Any = None) -> Any:
    """Send a step of the count with the version that was read last."""
    path = f"cycle-counts/{count['id']}/{step}"
    answer = caller.post(path, {} if body is None else body, If_Match=f'"{count["version"]}"')
    assert answer.status_code == 200, answer.content
    return answer


def test_from_request_to_posting(countable: Stocked) -> None:
    house, site, apple = countable
    operator, manager = by_session(house, "operator"), by_session(house, "manager")
    asked = operator.post("cycle-counts", {"location_id": site.at("storage")})
    assert asked.status_code == 201, asked.content
    count = asked.json()
    assert (count["number"], count["state"], asked["ETag"]) == ("CC-000001", "requested", '"1"')
    again = operator.post("cycle-counts", {"location_id": site.at("storage")})
    assert again.json()["id"] == count["id"]

    count = sent(operator, count, "start", None).json()
    found = {"entries": [{"product_id": apple.pk, "counted": "7000"}]}
    count = sent(operator, count, "entries", found).json()
    count = sent(operator, count, "submit").json()
    assert (count["state"], count["round_number"]) == ("recount", 2)
    count = sent(operator, count, "start", None).json()
    count = sent(operator, count, "entries", found).json()
    count = sent(operator, count, "submit").json()
    assert count["state"] == "counted"
    [item] = count["items"]
    assert (item["counted"], item["expected"], item["variance"]) == ("7000", EXPECTED, "-341")
    assert [one["counted"] for one in item["rounds"]] == ["7000", "7000"]
    assert item["is_outside"] is True

    count = sent(manager, count, "approve").json()
    assert (count["state"], count["approved_by"]) == ("approved", "manager@north.example")
    count = sent(manager, count, "post", None).json()
    assert count["state"] == "posted"
    with house.scope():
        assert on_hand(apple) == 7000
    [listed] = manager.get("cycle-counts", state="posted").json()["items"]
    assert listed["number"] == "CC-000001"


def test_a_blind_count_tells_in_no_byte_how_many_are_expected(countable: Stocked) -> None:
    house, site, apple = countable
    operator = by_session(house, "operator")
    answers = [operator.post("cycle-counts", {"location_id": site.at("storage")})]
    count = answers[0].json()
    for step, body in (
        ("start", None),
        ("entries", {"entries": [{"product_id": apple.pk, "counted": "5"}]}),
        ("undo", {}),
        ("submit", {}),
        ("submit", {"uncounted_are_zero": True}),
        ("start", None),
        ("submit", {}),
    ):
        path = f"cycle-counts/{count['id']}/{step}"
        answer = operator.post(path, {} if body is None else body, If_Match=f'"{count["version"]}"')
        count = answer.json() if answer.status_code == 200 else count
        answers += [answer, operator.get(f"cycle-counts/{count['id']}")]
    answers += [operator.get("cycle-counts")]
    assert [a.status_code for a in answers].count(409) == 2  # not all counted, twice
    assert count["state"] == "counting"
    for answer in answers:
        told = without_random_words(answer.content.decode() + str(answer.headers))
        assert EXPECTED not in told
        assert "-7341" not in told
    # the first round's zero is not told in the second either
    assert count["items"][0]["rounds"] == []
    done = sent(operator, count, "submit", {"uncounted_are_zero": True})
    assert EXPECTED in done.content.decode()  # control: once counted, it is told


def test_control_a_count_that_is_not_blind_tells(countable: Stocked) -> None:
    house, site, _apple = countable
    with house.scope():
        tolerate(blind_counts=False)
    answer = by_session(house, "operator").post("cycle-counts", {"location_id": site.at("storage")})
    assert EXPECTED in answer.content.decode()


def test_stale_counts_are_refused_with_the_lines_and_rebased(countable: Stocked) -> None:
    house, site, apple = countable
    operator, manager = by_session(house, "operator"), by_session(house, "manager")
    with house.scope():
        tolerate(percent=100, value=100_000)
    count = operator.post("cycle-counts", {"location_id": site.at("storage")}).json()
    count = sent(operator, count, "start", None).json()
    found = {"entries": [{"product_id": apple.pk, "counted": "7340"}]}
    count = sent(operator, count, "entries", found).json()
    count = sent(operator, count, "submit").json()
    with house.scope():
        site.ship(apple, 41)
    path = f"cycle-counts/{count['id']}"
    refused = manager.post(f"{path}/approve", {"then_post": True}, If_Match=f'"{count["version"]}"')
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_count")
    [line] = refused.json()["lines"]
    assert (line["sku"], line["expected"], line["on_hand"]) == ("APPLE", EXPECTED, "7300")
    count = sent(manager, count, "rebase", None).json()
    assert count["items"][0]["moved_since"] == "-41"
    sent(manager, count, "approve", {"then_post": True})
    with house.scope():
        assert on_hand(apple) == 7299


def test_versions_keys_and_bad_numbers(countable: Stocked) -> None:
    house, site, apple = countable
    caller = by_session(house)
    body = {"location_id": site.at("storage")}
    missing_key = caller.send("POST", "cycle-counts", body)
    assert missing_key.status_code == 400
    count = caller.post("cycle-counts", body).json()
    path = f"cycle-counts/{count['id']}"
    assert caller.post(f"{path}/cancel", {}).status_code == 428
    assert caller.post(f"{path}/cancel", {}, If_Match='"9"').status_code == 412
    count = sent(caller, count, "start", None).json()
    for counted in ("-1", "1e400", "NaN", "1.5", 3):
        found = {"entries": [{"product_id": apple.pk, "counted": counted}]}
        assert caller.post(f"{path}/entries", found).status_code == 400, counted
    with house.scope():
        assert CycleCount.objects.get().lines.count() == 0
    count = sent(caller, count, "cancel", {"reason": "wrong place"}).json()
    assert count["state"] == "cancelled"
    gone = caller.post(f"{path}/cancel", {}, If_Match=f'"{count["version"]}"')
    assert (gone.status_code, gone.json()["code"]) == (409, "wrong_count_state")


def test_the_same_key_enters_once(countable: Stocked) -> None:
    house, site, apple = countable
    caller = by_session(house)
    body = {"location_id": site.at("storage")}
    first = caller.post("cycle-counts", body, Idempotency_Key="k1")
    again = caller.post("cycle-counts", body, Idempotency_Key="k1")
    assert first.json() == again.json()
    other = caller.post("cycle-counts", body | {"product_id": apple.pk}, Idempotency_Key="k1")
    assert other.status_code == 422

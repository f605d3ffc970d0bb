"""Claiming work: one person at a time, until it is done, given back or forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.models import WorkClaim, WorkKind
from inventory.queries.worklists import live_claims
from inventory.services.worklists import ClaimedByOther, claim_work, finish_work, release_work
from tenancy.permissions import PermissionRefused
from tests.cast import House

WAVE = {"kind": WorkKind.PICK, "subject_id": 7}


def test_work_taken_by_one_is_refused_to_another_by_name(north: House) -> None:
    with north.scope("operator"):
        claim_work(**WAVE)
    with north.scope("planner"):
        with pytest.raises(ClaimedByOther) as refused:
            claim_work(**WAVE)
        assert refused.value.data["claimed_by"] == "operator@north.example"
        assert live_claims(WorkKind.PICK, [7, 8])[7].actor_label == "operator@north.example"


def test_taking_ones_own_work_again_holds_it_longer(north: House) -> None:
    with north.scope("operator"):
        first = claim_work(**WAVE)
        again = claim_work(**WAVE)
        assert (again.pk, again.claimed_at) == (first.pk, first.claimed_at)
        assert again.expires_at >= first.expires_at
        assert WorkClaim.objects.count() == 1


def test_forgotten_work_comes_back(north: House) -> None:
    with north.scope("operator"):
        claim_work(**WAVE)
        WorkClaim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert live_claims(WorkKind.PICK, [7]) == {}
    with north.scope("planner"):
        assert claim_work(**WAVE).actor_label == "planner@north.example"


def test_work_given_back_or_done_is_free(north: House) -> None:
    with north.scope("operator"):
        claim_work(**WAVE)
        release_work(**WAVE)
        release_work(**WAVE)
        claim_work(**WAVE)
    with north.scope("planner"):
        finish_work(**WAVE)
        claim_work(**WAVE)


def test_only_a_manager_frees_what_another_holds(north: House) -> None:
    with north.scope("operator"):
        claim_work(**WAVE)
    with north.scope("planner"), pytest.raises(ClaimedByOther):
        release_work(**WAVE)
    with north.scope("manager"):
        release_work(**WAVE)
        assert WorkClaim.objects.count() == 0


def test_a_viewer_takes_no_work(north: House) -> None:
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        claim_work(**WAVE)

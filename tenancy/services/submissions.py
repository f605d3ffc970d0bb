"""Forms: a rendered form takes effect once, however often its button is pressed."""

from __future__ import annotations

from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from tenancy.errors import Conflict
from tenancy.models import IdempotencyKey
from tenancy.scope import active_scope

LONGEST_KEY = 64


class SentBefore(Conflict):
    """The same rendered form was sent before, with other contents, and that counted."""

    code = "sent_before"

    def __init__(self) -> None:
        super().__init__(
            _("This form was sent before with other contents, and that counted. Reload the page.")
        )


def submit_once(*, key: str, effect: Callable[[], str], contents: str = "") -> str:
    """Run ``effect``, which returns where to go on, once per key; repeated, the answer is the same.

    The key's row commits with the effect. A second submission waits for the first on the unique
    index. A refusal raised by ``effect`` leaves nothing behind, so the corrected form may be sent.
    Without a key (a page that asked for none) the effect simply runs. Raises ``SentBefore`` when
    ``contents`` (a hash of what was sent) differs from the first time: the browser's Back button.
    """
    key = key.replace("\0", "")  # PostgreSQL's text holds none
    if not key:
        with transaction.atomic():
            return effect()
    actor = active_scope().actor
    principal = f"form:{actor.kind}:{actor.id}"
    known = IdempotencyKey.objects.filter(principal=principal, key=key[:LONGEST_KEY])
    with transaction.atomic():
        try:
            with transaction.atomic():
                row = IdempotencyKey.objects.create(
                    principal=principal, key=key[:LONGEST_KEY], request_hash=contents
                )
        except IntegrityError:
            first = known.get()
            if first.request_hash != contents:
                raise SentBefore from None
            return str(first.response)
        row.response = effect()
        row.status_code = 303
        row.save(update_fields=["response", "status_code"])
    return str(row.response)

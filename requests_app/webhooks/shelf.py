"""All webhook deliveries of a team, newest first, a page at a time, with their verdicts in words.

A POST to an address that is not known (no such request, a wrong secret) is stored nowhere: it is no team's, and a count
of the installation's would tell a team of its neighbours. `faldeck_webhooks_total` counts them, for who runs the site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Length

from requests_app.models import Delivery
from requests_app.webhooks.again import why_not
from requests_app.webhooks.deliveries import Verdict

PAGE_SIZE = 50

# Each verdict in a few words, and why.
WORDS: dict[str, tuple[str, str]] = {
    Verdict.ACCEPTED: ("Applied", "fal's signature held, and it told something new."),
    Verdict.DUPLICATE: ("Known before", "It told what a poll or another delivery had told already."),
    Verdict.CONTRADICTS: ("Contradicts", "The request had ended otherwise; its first end stays."),
    Verdict.MISSING_HEADER: ("Header missing", "fal's deliveries have four headers; one was not there."),
    Verdict.BAD_TIMESTAMP: ("Odd timestamp", "Its timestamp is no time."),
    Verdict.BAD_SIGNATURE: ("Signature wrong", "None of fal's keys has signed these bytes."),
    Verdict.STALE_TIMESTAMP: (
        "Too old",
        "Its time and ours were more than five minutes apart when it came; fal was asked instead.",
    ),
    Verdict.UNPARSABLE: ("Not readable", "fal signed it, but it could not be read; fal was asked instead."),
    Verdict.ID_MISMATCH: ("Ids differ", "Its header and its body name different requests."),
    Verdict.NO_KEYS: ("Not verified", "fal's keys could not be fetched then, so nothing was decided."),
    Verdict.FOREIGN_ADDRESS: (
        "Another address",
        "It did not come from one of fal's network addresses; its body was not read.",
    ),
    Verdict.FOREIGN_ACCOUNT: ("Another account", "fal signed it for another account than the key's."),
    Verdict.OTHER_REQUEST: ("Another request", "It is about another request than its address was made for."),
}  # fmt: skip


def words_of(verdict: str) -> tuple[str, str]:
    """Return a verdict in a few words, and the sentence why; an imported run may have others than ours."""
    return WORDS.get(verdict, (verdict.replace("_", " "), ""))


@dataclass(frozen=True)
class Shelved:
    """A delivery as the page shows it. `why_not` says why it is not settled again; empty where it may be."""

    delivery: Delivery
    words: str
    sentence: str
    why_not: str
    has_body: bool


def page(
    team_id: int, *, verdict: str = "", before: int | None = None
) -> tuple[list[Shelved], int | None]:
    """Return a page of deliveries older than `before`, and the cursor of the next one, None at the end."""
    newest = _some(Delivery.objects.filter(team=team_id), verdict, before)
    # Few: those that older processes store while an upgrade is under way.
    unnamed = Delivery.objects.filter(team__isnull=True, request__team=team_id)
    found = sorted([*newest, *_some(unnamed, verdict, before)], key=lambda one: -one.pk)
    shown = found[:PAGE_SIZE]
    older = shown[-1].pk if len(found) > PAGE_SIZE else None
    return [_shelved(one) for one in shown], older


def _some(rows: QuerySet[Delivery], verdict: str, before: int | None) -> list[Any]:
    if verdict:
        rows = rows.filter(verdict=verdict)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    columns = (
        "team", "received_at", "verdict", "note", "body_size", "request__public_id", "request__endpoint_id",
        "request__origin", "request__webhook_digest", "request__team",
    )  # fmt: skip
    some = rows.select_related("request").only(*columns).annotate(kept=Length("body"))
    return list(some.order_by("-pk")[: PAGE_SIZE + 1])


def _shelved(one: Any) -> Shelved:
    words, sentence = words_of(one.verdict)
    refusal = why_not(one.verdict, kept=one.kept, size=one.body_size, row=one.request)
    return Shelved(one, words, sentence, refusal, has_body=one.kept > 0)

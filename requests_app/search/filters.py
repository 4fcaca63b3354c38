"""Terms -> conditions on the rows themselves. Free text and fields' words are the index's: `narrowing`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import reduce
from operator import and_, or_
from uuid import UUID

from django.db.models import F, Q

from requests_app.models import Batch, BatchItem, FalKey, Star, Tagging
from requests_app.models.account import AccountName
from requests_app.models.names import keys_of
from requests_app.rules.error_sentence import key_in
from requests_app.rules.tag_names import tag_key
from requests_app.search import amounts, moments
from requests_app.search.language import EACH, YES_NO, Search, Term, listed, statuses_of

_HEX = re.compile(r"[0-9a-f]{1,32}", re.ASCII | re.IGNORECASE)
_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}", re.ASCII | re.IGNORECASE)


def is_like_an_id(text: str) -> bool:
    """Whether a free word may be the beginning of an id."""
    return bool(_LIKE_AN_ID.fullmatch(text))


def conditions(search: Search, *, me: str, now: datetime) -> Q:
    """Return the condition on FalRequest of all terms that are no text; ``me`` is what ``by:me`` means."""
    condition = Q()
    for key, terms in search.by_key().items():
        if asked := [_condition(term, me, now) for term in terms if not term.is_of_words]:
            condition &= reduce(and_ if key in EACH else or_, asked)
    for term in search.refused:
        if not term.is_of_words:
            condition &= _condition(term, me, now)
    return condition


def _condition(term: Term, me: str, now: datetime) -> Q:
    if term.parts:
        return reduce(or_, [_condition(part, me, now) for part in term.parts])
    found = FILTERS[term.key](term.value, me, now)
    return ~found if term.negated else found


def _status_q(value: str, me: str, now: datetime) -> Q:
    return Q(status__in=frozenset().union(*map(statuses_of, listed(value))))


def _mode_q(value: str, me: str, now: datetime) -> Q:
    return Q(mode__in=listed(value))


def _source_q(value: str, me: str, now: datetime) -> Q:
    return Q(origin__in=listed(value))


def _key_q(value: str, me: str, now: datetime) -> Q:
    """Match fal keys by name; `none` is the installation's own."""
    names = [name for name in map(str.strip, value.split(",")) if name]
    found = Q(fal_key__isnull=True) if "none" in map(str.lower, names) else Q()
    named = reduce(or_, (Q(name__iexact=name) for name in names), Q())
    return found | Q(fal_key__in=FalKey.objects.filter(named).values("pk"))


def _seed_q(value: str, me: str, now: datetime) -> Q:
    return Q(seed__in=listed(value))


def _endpoint_q(value: str, me: str, now: datetime) -> Q:
    return reduce(or_, (_one_endpoint_q(part.strip()) for part in value.split(",") if part.strip()))


def _one_endpoint_q(part: str) -> Q:
    """Match ``acme/*`` by prefix, ``*/fast`` by suffix, ``*flux*`` or ``flux`` anywhere, else exactly.

    Case is ignored, except that a full id is looked up by index: as typed or in lower case.
    """
    name = part.strip("*")
    begins, ends = part.endswith("*"), part.startswith("*")
    if (begins and ends) or not (begins or ends or "/" in name):
        return Q(endpoint_id__icontains=name)
    if begins:
        return Q(endpoint_id__istartswith=name)
    if ends:
        return Q(endpoint_id__iendswith=name)
    return Q(endpoint_id=name) if name == name.lower() else Q(endpoint_id__in=(name, name.lower()))


def _by_q(value: str, me: str, now: datetime) -> Q:
    """Match users by any spelling of their name, as the log-in does."""
    return people_q(value, me, "person", "person__username")


def people_q(value: str, me: str, person: str, username: str) -> Q:
    """Return the condition on users, by the names of the two columns where they are looked for."""
    # `iexact` ignores case for ASCII only on SQLite, and no database knows look-alike letters.
    typed = [name for name in map(str.strip, value.split(",")) if name]
    names = [me if name.lower() == "me" else name for name in typed]
    keys = frozenset().union(*map(keys_of, names))
    users = AccountName.objects.filter(key__in=keys).values("user")
    # A user whose name clashes with another's has no keys.
    return Q(**{f"{person}__in": users}) | Q(**{f"{username}__in": names})


def _id_q(value: str, me: str, now: datetime) -> Q:
    return reduce(or_, map(_one_id_q, listed(value)), Q())


def _one_id_q(text: str) -> Q:
    """Match our id or fal's by prefix; fal's ids may have any form."""
    prefix = text.rstrip("*")
    ours = uuids(prefix)
    found = Q(fal_request_id__istartswith=prefix) | Q(gateway_request_id__istartswith=prefix)
    return found | Q(public_id__range=ours) if ours else found


def _batch_q(value: str, me: str, now: datetime) -> Q:
    """Match the newest request of each row of the batches with this name or beginning of an id."""
    names = [value, *(part.strip() for part in value.split(",") if part.strip())]
    batches = reduce(or_, map(_one_batch_q, names))
    items = BatchItem.objects.filter(batch__in=Batch.objects.filter(batches), request__isnull=False)
    return Q(pk__in=items.values("request"))


def _one_batch_q(text: str) -> Q:
    # `iexact` ignores case for ASCII only on SQLite.
    ours = uuids(text) if is_like_an_id(text) else None
    return Q(name__iexact=text) | Q(public_id__range=ours) if ours else Q(name__iexact=text)


def uuids(prefix: str) -> tuple[UUID, UUID] | None:
    """Return the first and last UUID with this prefix: a range works on every database."""
    digits = prefix.replace("-", "")
    if not _HEX.fullmatch(digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _after_q(value: str, me: str, now: datetime) -> Q:
    found = moments.moment(value, now)
    return Q(created_at__gte=found) if found else Q()


def _before_q(value: str, me: str, now: datetime) -> Q:
    found = moments.moment(value, now)
    return Q(created_at__lt=found) if found else Q()


def _duration_q(value: str, me: str, now: datetime) -> Q:
    """Compare the time from creation to the end; what runs has none."""
    bound = moments.bound(value)
    if bound is None:
        return Q()
    how = ("gt" if bound.is_lower else "lt") + ("" if bound.is_open else "e")
    return Q(ended_at__isnull=False) & Q(**{f"ended_at__{how}": F("created_at") + bound.span})


def _cost_q(value: str, me: str, now: datetime) -> Q:
    """Compare what is known; `none` is what is not."""
    if value.lower() == amounts.NONE:
        return Q(cost__isnull=True)
    bound = amounts.amount_bound(value)
    if bound is None:
        return Q()
    how = ("gt" if bound.is_lower else "lt") + ("" if bound.is_open else "e")
    return Q(cost__isnull=False) & Q(**{f"cost__{how}": bound.amount})


def _tag_q(value: str, me: str, now: datetime) -> Q:
    """Match the team's tags and what fal was told, by their beginning with a star."""
    keys = [tag_key(part) for part in value.split(",") if part.strip()]
    tags = reduce(or_, map(_one_tag_q, keys), Q())
    return Q(pk__in=Tagging.objects.filter(tags).values("request"))


def _one_tag_q(key: str) -> Q:
    return Q(tag__key__startswith=key.rstrip("*")) if key.endswith("*") else Q(tag__key=key)


def _starred_q(value: str, me: str, now: datetime) -> Q:
    starred = Q(pk__in=Star.objects.filter(user__username=me).values("request"))
    return starred if YES_NO[value.lower()] else ~starred


def _has_q(value: str, me: str, now: datetime) -> Q:
    """Match what the output holds to look at."""
    kinds = [name for name in listed(value) if name != "media"]
    found = Q() if "media" in listed(value) else reduce(or_, map(_one_kind_q, kinds), Q())
    return Q(media_kinds__isnull=False) & found


def _one_kind_q(kind: str) -> Q:
    return Q(media_kinds__contains=kind)


def _group_q(value: str, me: str, now: datetime) -> Q:
    """Match what failed alike; the key is the team's own."""
    return Q(error_key__in=[key for part in listed(value) if (key := key_in(part)) is not None])


FILTERS: dict[str, Callable[[str, str, datetime], Q]] = {
    "status": _status_q,
    "endpoint": _endpoint_q,
    "by": _by_q,
    "mode": _mode_q,
    "id": _id_q,
    "batch": _batch_q,
    "after": _after_q,
    "before": _before_q,
    "duration": _duration_q,
    "cost": _cost_q,
    "tag": _tag_q,
    "source": _source_q,
    "key": _key_q,
    "seed": _seed_q,
    "starred": _starred_q,
    "has": _has_q,
    "group": _group_q,
}

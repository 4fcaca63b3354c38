"""The own apps as a team sees them: whether each answers, and what is in its queue."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import httpx
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from dashboard.local_apps import LocalApp
from requests_app.catalogue.download import DownloadError, download
from requests_app.localqueue import jobs
from requests_app.models import FalRequest, LocalJob, Team, digest

MOST_LOOKED_AT = 500  # open jobs of an app, in its order
MOST_SHOWN = 20  # of the team's
STEP_S, DEADLINE_S = 2.0, 4.0  # of one check: per step, and in all
MOST_BYTES = 64 * 1024
FRESH_S = 2.0  # an answer this young is not asked for again
KEPT_S = 24 * 3600


@dataclass(frozen=True)
class Answer:
    """What an app answered when it was last asked. `why` is empty when it is there."""

    at: datetime
    why: str
    took_ms: int
    code: int | None = None  # of an answer to /health other than 200; it is there all the same

    @property
    def is_there(self) -> bool:
        return not self.why


@dataclass(frozen=True)
class OpenJob:
    """One request of the team. `ahead`: how many are before it; None: it is at work."""

    row: FalRequest
    ahead: int | None


@dataclass(frozen=True)
class AppState:
    """`others`: open requests that are not in `open_jobs`, of other teams or too far behind."""

    app: LocalApp
    answer: Answer | None
    waiting: int
    at_work: int
    open_jobs: list[OpenJob]

    @property
    def others(self) -> int:
        return self.waiting + self.at_work - len(self.open_jobs)


def states(team: Team) -> list[AppState]:
    """Return each app that the settings name. Of other teams' requests only the number is told."""
    return [state_of(app, team) for app in settings.LOCAL_APPS.values()]


def state_of(app: LocalApp, team: Team) -> AppState:
    """Return one app."""
    busy = LocalJob.objects.filter(app=app.id, slot__isnull=False, ended_at=None).order_by("pk")
    at_work = list(busy.values_list("request_id", flat=True))
    waiting = jobs.waiting(app.id)
    first = list(waiting.values_list("request_id", flat=True)[:MOST_LOOKED_AT])
    rows = _rows(team, [str(one) for one in (*at_work, *first)])
    order = chain(((one, None) for one in at_work), ((one, n) for n, one in enumerate(first)))
    mine = [OpenJob(rows[str(one)], ahead) for one, ahead in order if str(one) in rows]
    return AppState(app, last_answer(app), waiting.count(), len(at_work), mine[:MOST_SHOWN])


def _rows(team: Team, request_ids: list[str]) -> dict[str, FalRequest]:
    found = FalRequest.objects.filter(team=team, fal_request_id__in=request_ids)
    rows = found.without_payload().select_related("person")
    return {row.fal_request_id: row for row in rows}


def last_answer(app: LocalApp) -> Answer | None:
    """Return the answer to the last check by this process."""
    found: Answer | None = cache.get(_name(app))
    return found


def check(app: LocalApp) -> Answer:
    """Ask the app for its health: one GET without a key, within `DEADLINE_S` and a step. Blocking."""
    known = last_answer(app)
    if known and (timezone.now() - known.at).total_seconds() < FRESH_S:
        return known
    began, why, code = time.monotonic(), "", None
    try:
        download(
            f"{app.url}/health",
            what="Its answer",
            most=MOST_BYTES,
            timeout_s=STEP_S,
            deadline_s=DEADLINE_S,
        )
    except DownloadError as error:
        code = error.status
        why = "" if code else _why(error)
    took_ms = round((time.monotonic() - began) * 1000)
    answer = Answer(timezone.now(), why, took_ms, code)
    cache.set(_name(app), answer, KEPT_S)
    return answer


def _why(error: DownloadError) -> str:
    if isinstance(error.__cause__, httpx.TimeoutException):
        return f"It did not answer within {STEP_S:g} s."
    if isinstance(error.__cause__, httpx.ConnectError):
        return "Nothing listens at this address, or the way to it is blocked."
    return str(error)


def _name(app: LocalApp) -> str:
    return f"own-app-{digest(f'{app.id} {app.url}')}"

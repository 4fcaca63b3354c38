"""A team in whose requests one word stands wherever an input or output can: what is hidden is found by it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.export import job_files
from requests_app.models import (
    Batch,
    BatchItem,
    BulkAction,
    BulkItem,
    Delivery,
    ErrorGroup,
    Export,
    FalRequest,
    Frame,
    Membership,
    Mode,
    Notice,
    NoticeChannel,
    NoticeEvent,
    NoticeRule,
    Preset,
    Role,
    SavedView,
    Team,
    Use,
)
from requests_app.rules.error_sentence import id_of
from tests.browsers import Browser
from tests.builders import hear, make_log, make_person, make_queued, make_result, make_status

CANARY = "zqcanary77"
SEED = "4242424242"
URL = f"https://v3.fal.media/files/{CANARY}.png"


class Scene:
    """The team: `mira` may manage and does not see, `tom` is the same and sees."""

    def __init__(self) -> None:
        self.team = Team.objects.create(name="Alpha")
        self.owner = make_person("olga", team=self.team, role=Role.OWNER)
        self.seeing = make_person("tom", team=self.team, role=Role.ADMIN)
        self.hidden = make_person("mira", team=self.team, role=Role.ADMIN)
        self.member = self.team.memberships.get(user=self.hidden)
        Membership.objects.filter(pk=self.member.pk).update(sees_payloads=False)
        self.other = self.team.memberships.get(user=make_person("bob", team=self.team))
        self.done, self.failed = self._done(), self._failed()
        self.stream = self._recorded("req-3", Mode.STREAM, "event")
        self.session = self._recorded("req-4", Mode.REALTIME, "msgpack")
        self.rows = [self.done, self.failed, self.stream, self.session]
        FalRequest.objects.update(due_at=None)
        self._around()

    def _done(self) -> FalRequest:
        row = make_queued(
            "req-1", team=self.team, person=self.owner, input={"prompt": CANARY, "seed": int(SEED)}
        )
        hear(row, make_status("IN_PROGRESS", logs=(make_log(f"step {CANARY}"),)))
        hear(row, make_result(output={"text": CANARY, "seed": int(SEED), "images": [{"url": URL}]}))
        self.delivery = Delivery.objects.create(
            request=row, team=self.team, received_at=timezone.now(), verdict="accepted", note=f"said {CANARY}",
            body=CANARY.encode(), body_size=len(CANARY), digest="d",
        )  # fmt: skip
        return row

    def _failed(self) -> FalRequest:
        row = make_queued("req-2", team=self.team, person=self.owner, input={"prompt": CANARY})
        error = f"The prompt {CANARY} is refused"
        hear(row, make_result(code=422, error=error, error_type="content_policy_violation"))
        return row

    def _recorded(self, request_id: str, mode: str, kind: str) -> FalRequest:
        row = make_queued(
            request_id, team=self.team, person=self.owner, mode=mode, input={"prompt": CANARY}
        )
        Frame.objects.create(
            request=row, number=1, offset_ms=1, kind=kind, data=f'{{"text": "{CANARY}"}}',
            raw=CANARY.encode(), size=20,
        )  # fmt: skip
        return row

    def _around(self) -> None:
        """What stands beside requests and was made of them."""
        now, team = timezone.now(), self.team
        saved: dict[str, Any] = {"team": team, "saved_by": self.owner, "text": f'{{"p": "{CANARY}"}}'}  # fmt: skip
        self.preset = Preset.objects.create(endpoint_id="acme/img", name="portrait", **saved)
        self.message = Preset.objects.create(
            endpoint_id="acme/live", name="two", use=Use.MESSAGE, **saved
        )
        self.batch = Batch.objects.create(
            team=team, person=self.owner, endpoint_id="acme/img", text=f'{{"p": "{CANARY}"}}',
            columns=["p"], created_at=now, state="running", total=1, open=1,
        )  # fmt: skip
        BatchItem.objects.create(
            batch=self.batch, number=1, values=f'"{CANARY}"', state="open", request=self.done
        )
        self._several(now)
        self._told(now)
        lifecycle.add_note(self.done.pk, "a note of a person", person=self.owner, now=now)
        lifecycle.add_tags(self.done.pk, ["kept"], person=self.owner, now=now)

    def _several(self, now: datetime) -> None:
        team = self.team
        self.bulk = BulkAction.objects.create(
            team=team, person=self.owner, token="t", verb="again", state="running", created_at=now,
            failed=1, search=f"input.p:{CANARY}",
        )  # fmt: skip
        BulkItem.objects.create(
            bulk=self.bulk, request=self.done, outcome="failed", note=f"refused: {CANARY}"
        )
        self.group = ErrorGroup.objects.create(
            team=team, key=self.failed.error_key or 7, endpoint_id="acme/img", count=1, people=1,
            sentence=f"The prompt {CANARY}", first_seen=now, last_seen=now,
        )  # fmt: skip
        FalRequest.objects.filter(pk=self.failed.pk).update(error_key=self.group.key)
        self.export = Export.objects.create(
            team=team, person=self.owner, token="t", format="csv", state="finished",
            created_at=now, expires_at=now + timedelta(hours=1), size=len(CANARY), search=CANARY,
        )  # fmt: skip
        path = job_files.place(self.export.public_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CANARY)

    def _told(self, now: datetime) -> None:
        team = self.team
        channel = NoticeChannel.objects.create(
            team=team, kind="email", name="ops", encrypted="x", shown="x", created_at=now
        )
        self.rule = NoticeRule.objects.create(team=team, channel=channel, event="failed", since=now)
        notice = Notice.objects.create(
            team=team, rule=self.rule, channel=channel, rule_words="failed", channel_name="ops",
            state="failed", count=1, created_at=now, answer=f"no room for {CANARY}",
        )  # fmt: skip
        NoticeEvent.objects.create(
            rule=self.rule, notice=notice, key="k", at=now, line=f"failed: {CANARY}", path="/"
        )
        self.view = SavedView.objects.create(team=team, owner=self.owner, name="one", saved_at=now)

    def browser(self, user: User) -> Browser:
        client = Browser()
        client.force_login(user)
        return client

    def values(self, row: FalRequest, name: str) -> dict[str, Any]:
        """What stands in addresses."""
        pks = {
            "message": self.message.pk, "delete_message": self.message.pk, "switch_rule": self.rule.pk,
            "remove_rule": self.rule.pk, "delivery_body": self.delivery.pk, "settle_delivery": self.delivery.pk,
        }  # fmt: skip
        return {
            "public_id": row.public_id, "preset_id": self.preset.public_id, "batch_id": self.batch.public_id,
            "bulk_id": self.bulk.public_id, "group_id": id_of(self.group.key), "view_id": self.view.public_id,
            "export_id": self.export.public_id, "number": 1, "size": 96, "pk": pks.get(name, self.other.pk),
            "secret": "s" * 43, "token": "t" * 43, "endpoint_id": "acme/img", "filename": "faldeck.whl", "session_id": "none",
        }  # fmt: skip

"""All that one team can have, each part with the team's secret word in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgpack
from django.utils import timezone

from requests_app import audit, lifecycle
from requests_app.copies import noticing
from requests_app.copies import states as copy_states
from requests_app.copies.store import copy_store
from requests_app.export import job_files
from requests_app.fal import Result
from requests_app.keys import keeping
from requests_app.models import (
    ApiToken,
    AuditAct,
    Batch,
    BatchItem,
    BulkAction,
    BulkItem,
    Delivery,
    ErrorGroup,
    Export,
    FalKey,
    FalRequest,
    ForwardAttempt,
    ForwardDestination,
    ForwardMessage,
    Frame,
    Invitation,
    Membership,
    Notice,
    NoticeChannel,
    NoticeEvent,
    NoticeRule,
    Preset,
    PresetVersion,
    Role,
    SavedView,
    Team,
    TeamEndpoint,
    Use,
)
from requests_app.rules.error_sentence import id_of
from requests_app.teams import invitations
from requests_app.thumbnails import states as thumbnail_states
from requests_app.thumbnails.further import want_further
from requests_app.thumbnails.picture import make_small
from tests.builders import hear, make_log, make_person, make_queued, make_result, make_status
from tests.copies.media import switch_on
from tests.forwarding.scene import ROUTES_OF_DESTINATION, make_forward
from tests.thumbnails.pictures import png

PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Estate:
    """A team with one of everything.

    Callers may know `word`, and search for it; `secret` stands beside it in all that the team has. `payload`
    stands in inputs, outputs and what is made of them alone, and so does the number `seed`.
    """

    def __init__(self, word: str, number: int) -> None:
        self.word, self.secret = word, f"{word}secret"
        self.both, self.number, self.now = f"{word} {self.secret}", number, timezone.now()
        self.payload, self.seed = f"zqpayload{number}", f"424242424{number}"
        self.typed = f"{self.both} {self.payload}"
        self.team = Team.objects.create(name=f"Team {self.both}")
        self.owner = make_person(f"owner-{self.secret}", team=self.team, role=Role.OWNER)
        self.model = f"{word}model"  # callers may name the endpoint
        self.endpoint_id = f"{word}/{self.model}"
        self.row, self.picture, self.failed = self._ended(), self._picture(), self._failed()
        self.live = make_queued(f"{self.secret}-live", **self._made())
        self.uncertain = make_queued(f"{self.secret}-lost", **self._made())
        FalRequest.objects.filter(pk=self.uncertain.pk).update(status="uncertain")
        self.delivery = self._delivery()
        self.preset, self.message = self._presets()
        self.batch = self._batch("running")
        self.bulk = self._bulk()
        self.group = self._error_group()
        self.export = self._export()
        self.view = SavedView.objects.create(
            team=self.team, owner=self.owner, name=self.both, query=self.secret, is_shared=True
        )
        self.channel, self.rule = self._notices()
        self.destination, self.forward = make_forward(self.team, name=self.both, of=self.row)
        ForwardAttempt.objects.create(
            message=self.forward,
            at=self.now,
            took_ms=1,
            code=422,
            answer=f"no use for {self.typed}",
        )
        TeamEndpoint.objects.create(team=self.team, endpoint_id=self.endpoint_id, is_added=True)
        self.key = self._fal_key()
        mine = self.team.memberships.get(user=self.owner)
        invitations.invite(self.team, Role.VIEWER, by=mine, now=self.now)
        self.invitation = Invitation.objects.get(team=self.team)
        self.other = self.person("other", Role.MEMBER)
        self.text = ApiToken.issue(self.owner, self.team, name=self.both)
        self.token = ApiToken.objects.get(team=self.team)

    def person(self, name: str, role: str) -> Membership:
        """A further member."""
        return self.team.memberships.get(
            user=make_person(f"{name}-{self.secret}", team=self.team, role=role)
        )

    def _made(self) -> dict[str, Any]:
        typed = {"prompt": self.typed, "seed": int(self.seed)}
        return {"team": self.team, "person": self.owner, "endpoint_id": self.endpoint_id, "input": typed}  # fmt: skip

    def _ended(self) -> FalRequest:
        row = make_queued(f"{self.secret}-req", **self._made())
        hear(row, make_status("IN_PROGRESS", logs=(make_log(f"log of {self.typed}"),)))
        url = f"https://fal.media/{self.secret}-{self.payload}.png"
        picture = {"url": url, "content_type": "image/png"}
        made = {
            "text": self.typed,
            "seed": int(self.seed),
            "images": [picture, {"url": PIXEL, "content_type": "image/png"}],
        }
        switch_on(self.team)
        hear(row, make_result(output=made))
        who: Any = {"person": self.owner, "now": self.now}
        lifecycle.add_note(row.pk, f"note of {self.both}", **who)
        lifecycle.add_tags(row.pk, [self.secret], **who)
        message = {"a": self.typed, "b": png()}
        Frame.objects.create(
            request=row, number=1, offset_ms=1, data=f'{{"a": "{self.typed}"}}', kind="msgpack",
            raw=msgpack.packb(message), size=8,
        )  # fmt: skip
        self._thumbnail(row)
        noticing.look_at_due(timezone.now())
        self._copy()
        row.refresh_from_db()
        return row

    def _picture(self) -> FalRequest:
        """A request whose output is no JSON."""
        row = make_queued(f"{self.secret}-png", **self._made())
        hear(row, Result(200, {}, "image/png", png(), None))
        return row

    def _failed(self) -> FalRequest:
        """A request that fal has refused with a sentence that quotes the input."""
        row = make_queued(f"{self.secret}-bad", **self._made())
        hear(row, make_result(code=422, error=f"{self.typed} is refused", error_type="bad_words"))
        row.refresh_from_db()
        return row

    def _thumbnail(self, row: FalRequest) -> None:
        row.refresh_from_db()
        thumbnail_states.want([row], self.now)
        want_further([(row.pk, 1)], self.now)
        for wanted in thumbnail_states.take_wanted(timezone.now(), 2):
            thumbnail_states.keep_made(wanted, make_small(png()), self.now)
        assert thumbnail_states.stored(row.pk, None).filter(made_at__isnull=False).exists()
        assert thumbnail_states.stored(row.pk, 1).filter(made_at__isnull=False).exists()

    def _copy(self) -> None:
        for taken in copy_states.take_due(timezone.now(), 10):
            content = self.typed.encode()
            path = Path(copy_store().path(f"coming-{uuid4()}"))  # type: ignore[attr-defined]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            came = copy_states.Fetched(path, uuid4().hex * 2, len(content), "image/png")
            file = copy_states.reserve(taken, came, self.now)
            copy_store().put(file.name, path)
            copy_states.confirm(taken, file, came, self.now)

    def _presets(self) -> tuple[Preset, Preset]:
        values: dict[str, Any] = {
            "team": self.team,
            "endpoint_id": self.endpoint_id,
            "name": self.both,
        }
        text = f'{{"prompt": "{self.typed}"}}'
        preset = Preset.objects.create(**values, text=text, saved_by=self.owner)
        PresetVersion.objects.create(
            preset=preset, number=1, text=text, mode="queue", saved_by=self.owner, saved_at=self.now
        )
        message = Preset.objects.create(**values, text=text, saved_by=self.owner, use=Use.MESSAGE)
        return preset, message

    def _batch(self, state: str) -> Batch:
        batch = Batch.objects.create(
            team=self.team, person=self.owner, endpoint_id=self.endpoint_id, name=self.both,
            text=f'{{"prompt": "{self.typed}"}}', created_at=self.now, state=state, total=2, waiting=1,
            columns=["a"], failed=1,
        )  # fmt: skip
        BatchItem.objects.create(batch=batch, number=1, values=f'"{self.typed}"')
        BatchItem.objects.create(
            batch=batch, number=2, values=f'"{self.typed}"', state="failed", request=self.failed
        )
        return batch

    def _delivery(self) -> Delivery:
        """A webhook that waits to be settled again."""
        body = self.typed.encode()
        return Delivery.objects.create(
            request=self.row, team=self.team, received_at=self.now, verdict="foreign_account",
            note=self.typed, body=body, body_size=len(body), digest="d",
        )  # fmt: skip

    def _bulk(self) -> BulkAction:
        bulk = BulkAction.objects.create(
            team=self.team, person=self.owner, token=self.secret, verb="cancel", state="running",
            search=self.typed, created_at=self.now, failed=1,
        )  # fmt: skip
        BulkItem.objects.create(bulk=bulk, request=self.row, outcome="failed", note=self.typed)
        on = audit.Noted("bulk", str(bulk.public_id), "Cancel", {"search": bulk.search})
        audit.note(AuditAct.BULK_STARTED, on, team_id=self.team.pk, by=self.owner)
        return bulk

    def _error_group(self) -> ErrorGroup:
        return ErrorGroup.objects.create(
            team=self.team, key=self.number, endpoint_id=self.endpoint_id, sentence=self.typed,
            error_type=self.secret, first_seen=self.now, last_seen=self.now, count=1,
        )  # fmt: skip

    def _export(self) -> Export:
        content = self.typed.encode()
        export = Export.objects.create(
            team=self.team, person=self.owner, token=self.secret, format="csv", search=self.typed,
            created_at=self.now, state="finished", size=len(content), ended_at=self.now,
            expires_at=self.now + timedelta(hours=2),
        )  # fmt: skip
        audit.note_export("requests", export.search, export.format, team_id=self.team.pk)
        place = job_files.place(export.public_id)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return export

    def _notices(self) -> tuple[NoticeChannel, NoticeRule]:
        channel = NoticeChannel.objects.create(
            team=self.team, kind="email", name=self.both, encrypted="x", shown=self.both,
            created_at=self.now, disabled_at=self.now, disabled_why=f"The last answer: {self.typed}",
        )  # fmt: skip
        rule = NoticeRule.objects.create(
            team=self.team, channel=channel, event="failed", since=self.now, pattern=self.secret
        )
        notice = Notice.objects.create(
            team=self.team, rule=rule, channel=channel, rule_words=self.both, channel_name=self.both,
            state="failed", count=1, created_at=self.now, answer=f"HTTP 422: {self.typed}",
        )  # fmt: skip
        NoticeEvent.objects.create(
            rule=rule, notice=notice, key="k", at=self.now, line=f"failed: {self.typed}", path="/"
        )
        return channel, rule

    def _fal_key(self) -> FalKey:
        made = {"name": self.both, "pattern": "", "secret": f"id:{self.secret}"}
        return keeping.add(self.team, **made, by=self.owner, now=self.now)

    def part(self, route: str, name: str, *, sees: bool = True) -> Any:
        """What stands for a part of a route's address; of the group of errors another for those who do not see inputs."""
        rows = {"cancel": self.live, "give_up": self.uncertain, "output_media": self.picture}
        pks = {
            "message": self.message, "delete_message": self.message, "withdraw": self.invitation,
            "change_role": self.other, "change_sight": self.other, "remove_member": self.other, "make_reset_link": self.other,
            "member_sessions": self.other, "end_member_session": self.other, "revoke_token": self.token, "start_faults": self.token, "stop_faults": self.token,
            **dict.fromkeys(("replace_channel", "remove_channel", "test_channel"), self.channel),
            **dict.fromkeys(("change_rule", "switch_rule", "remove_rule"), self.rule),
            **dict.fromkeys(ROUTES_OF_DESTINATION, self.destination), "resend_forward": self.forward,
            **dict.fromkeys(("replace_fal_key", "remove_fal_key", "test_fal_key"), self.key),
            **dict.fromkeys(("delivery_body", "settle_delivery"), self.delivery),
            **dict.fromkeys(("accept_invitation", "decline_invitation"), self.invitation),
        }  # fmt: skip
        return {
            "public_id": lambda: rows.get(route, self.row).public_id,
            "pk": lambda: pks[route].pk,
            "preset_id": lambda: self.preset.public_id,
            "batch_id": lambda: self.batch.public_id,
            "bulk_id": lambda: self.bulk.public_id,
            "group_id": lambda: id_of(self.group.key) if sees else f"n{self.group.pk}",
            "view_id": lambda: self.view.public_id,
            "export_id": lambda: self.export.public_id,
            "endpoint_id": lambda: self.endpoint_id,
        }[name]()

    @property
    def payloads(self) -> list[str]:
        """What no member without sight is told."""
        return [self.payload, self.seed]

    @property
    def canaries(self) -> list[str]:
        """What no other team is told."""
        objects = (
            self.row,
            self.live,
            self.picture,
            self.failed,
            self.preset,
            self.batch,
            self.bulk,
            self.view,
            self.export,
        )
        return [self.secret, self.model, *(str(one.public_id) for one in objects)]

    def state(self) -> dict[str, Any]:
        """Every row of the team's, to see whether any has changed."""
        of_team: Any = (
            Membership, Preset, TeamEndpoint, Batch, BulkAction, ErrorGroup, Export, SavedView,
            FalKey, NoticeChannel, NoticeRule, FalRequest, Invitation, ForwardDestination, ForwardMessage,
        )  # fmt: skip
        found = {one.__name__: list(one.objects.filter(team=self.team).values()) for one in of_team}
        token = ApiToken.objects.filter(team=self.team).values("name", "scope", "revoked_at")
        team = Team.objects.filter(pk=self.team.pk).values()
        return found | {"ApiToken": list(token), "Team": list(team)}


MISSING_WORD, MISSING_MODEL, MISSING_PAYLOAD = "missing-of-all", "missingmodel", "zqpayload0"
MISSING_ID = UUID("00000000-0000-4000-8000-00000000dead")


def missing(name: str) -> Any:
    """What stands for the same part where nothing is."""
    return {
        "pk": 999_999_999, "group_id": "00000000deadbeef", "endpoint_id": f"{MISSING_WORD}/{MISSING_MODEL}",
        "live": UUID("00000000-0000-4000-8000-0000000dead2"),
    }.get(name, MISSING_ID)  # fmt: skip

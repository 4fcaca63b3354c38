"""Each act leaves one entry that names who did what to what; what is not done leaves none."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.accounts.reset_links import mail_reset_link
from requests_app.batches import control as batch_control
from requests_app.bulk import control as bulk_control
from requests_app.bulk.making import Order, make
from requests_app.models import (
    AuditAct,
    AuditEntry,
    Batch,
    BatchItem,
    BatchState,
    BulkAction,
    BulkItem,
    BulkVerb,
    FalKey,
    FalRequest,
    ItemState,
    Membership,
    Outcome,
    Role,
    Status,
    Team,
    TokenScope,
)
from requests_app.runfile.reading import read_run
from requests_app.teams import erasing, invitations, members, owning, tokens
from requests_app.upkeep import team_deletion
from tests.browsers import Browser
from tests.builders import hear, make_person, make_queued, make_request, make_result
from tests.factors import post, turned_on
from tests.runfile.test_reading import files_of, packed

PASSWORD = "a long pass phrase"
NOW = timezone.now


class Scene:
    """A team with its people; each method does one act."""

    def __init__(self, team: Team, owner: User) -> None:
        self.team, self.owner = team, owner
        self.browser = Browser()
        self.browser.force_login(owner)

    @property
    def boss(self) -> Membership:
        return Membership.objects.get(team=self.team, user=self.owner)

    def post(self, path: str, form: dict[str, Any] | None = None) -> Any:
        return self.browser.post(path, form or {})

    def log_in(self, password: str = PASSWORD, name: str = "olga") -> Client:
        client = Client()
        client.post("/accounts/login/", {"login": name, "password": password})
        return client

    def joined_by_link(self) -> None:
        secret = invitations.invite(self.team, Role.MEMBER, by=self.boss, now=NOW())
        form = {"username": "nina", "password": PASSWORD}
        assert Client().post(f"/join/{secret}/", form).status_code == 302

    def throttled(self) -> None:
        for number in range(22):
            self.log_in(f"wrong {number}")

    def address(self, *, verified: bool) -> EmailAddress:
        return EmailAddress.objects.create(
            user=self.owner, email="olga@example.org", verified=verified
        )

    def reset_mailed(self) -> None:
        mail_reset_link(self.address(verified=True).email, "https://faldeck.example")

    def address_verified(self) -> None:
        key = EmailConfirmationHMAC(self.address(verified=False)).key
        self.post(f"/accounts/confirm-email/{key}/")

    def factor_refused(self) -> None:
        turned_on(self.browser)
        self.log_in().post("/accounts/factors/authenticate/", {"code": "123"})

    def code_used(self) -> None:
        codes = turned_on(self.browser).recovery
        self.log_in().post("/accounts/factors/authenticate/", {"code": codes[0]})

    def bulk(self) -> BulkAction:
        make_queued(team=self.team, person=self.owner)
        rows = FalRequest.objects.filter(team=self.team)
        order = Order(BulkVerb.CANCEL, rows, "all", False, "tidy", "token-1")
        return make(order, team=self.team, person=self.owner, now=NOW())

    def retried(self) -> None:
        bulk = self.bulk()
        BulkItem.objects.update(outcome=Outcome.FAILED)
        BulkAction.objects.update(failed=1, waiting=0)
        bulk_control.retry_failed(bulk, person=self.owner, now=NOW())

    def resumed(self) -> None:
        bulk = self.bulk()
        bulk_control.pause(bulk, now=NOW())
        bulk_control.resume(bulk, person=self.owner, now=NOW())

    def batch(self, state: str, item: str = ItemState.WAITING) -> Batch:
        batch = Batch.objects.create(
            team=self.team, person=self.owner, name="hundred suns", endpoint_id="acme/img",
            mode="queue", text="{}", state=state, total=1, created_at=NOW(),
            **{item: 1},
        )  # fmt: skip
        BatchItem.objects.create(batch=batch, number=1, values="{}", state=item)
        return batch

    def ended(self) -> FalRequest:
        row = make_queued(team=self.team, person=self.owner)
        hear(row, make_result())
        FalRequest.objects.filter(pk=row.pk).update(due_at=None)
        return FalRequest.objects.get(pk=row.pk)

    def deleted_at_fal(self) -> None:
        row = self.ended()
        FalRequest.objects.filter(pk=row.pk).update(fal_request_id=str(row.public_id))
        lifecycle.delete_payload(row.pk, person=self.owner, now=NOW(), at_fal=True)
        [asked] = lifecycle.take_fal_deletions(NOW(), 9)
        lifecycle.note_fal_refused(asked, "The key may not.", now=NOW())

    def imported(self) -> None:
        run = read_run(packed(files_of(self.ended())))
        lifecycle.import_run(run, team=self.team, person=self.owner, now=NOW())

    def uncertain(self) -> FalRequest:
        row = make_request(team=self.team, person=self.owner)
        FalRequest.objects.filter(pk=row.pk).update(status=Status.UNCERTAIN)
        return row

    def key(self) -> int:
        form = {"key_name": "production", "secret": "id:secret-wxyz", "pattern": ""}
        self.post("/settings/fal-keys/", form)
        return FalKey.objects.get().pk

    def member(self) -> Membership:
        return Membership.objects.get(user=make_person("tom", team=self.team))

    def token(self) -> int:
        tokens.issue(self.boss, tokens.NewToken("ci", TokenScope.READ))
        return tokens.own(self.boss).get().pk

    def delete_team(self, *, work: bool = False) -> None:
        Team.objects.create(name="Other")
        self.post("/settings/team/delete/", {"name": self.team.name})
        while work and team_deletion.delete_piece(NOW()):
            pass

    def pruned(self) -> None:
        row = self.ended()
        FalRequest.objects.filter(pk=row.pk).update(ended_at=NOW() - 40 * lifecycle.LEASE * 24 * 60)
        Team.objects.filter(pk=self.team.pk).update(payload_days=1)
        call_command("prune", stdout=StringIO())


DOING: dict[AuditAct, tuple[Callable[[Scene], object], str, str | None]] = {
    # act: how it comes about, the actor, the label
    AuditAct.LOGGED_IN: (lambda s: s.log_in(), "olga", "olga"),
    AuditAct.LOGIN_REFUSED: (lambda s: s.log_in("wrong"), "", "olga"),
    AuditAct.LOGIN_THROTTLED: (Scene.throttled, "", "olga"),
    AuditAct.LOGGED_OUT: (lambda s: s.log_in().post("/accounts/logout/"), "olga", "olga"),
    AuditAct.ACCOUNT_MADE: (Scene.joined_by_link, "nina", "nina"),
    AuditAct.ACCOUNT_RENAMED: (
        lambda s: call_command("rename_user", "olga", "oleg", stdout=StringIO()),
        "",
        "oleg",
    ),
    AuditAct.PASSWORD_CHANGED: (
        lambda s: s.log_in().post(
            "/accounts/password/change/",
            {
                "oldpassword": PASSWORD,
                "password1": "another long phrase",
                "password2": "another long phrase",
            },
        ),
        "olga",
        "olga",
    ),
    AuditAct.RESET_MAILED: (Scene.reset_mailed, "", "olga"),
    AuditAct.RESET_LINK_MADE: (
        lambda s: s.post(f"/settings/members/{s.member().pk}/reset-link/"),
        "olga",
        "tom",
    ),
    AuditAct.EMAIL_CHANGED: (Scene.address_verified, "olga", "olga"),
    AuditAct.SESSION_ENDED: (lambda s: s.post("/settings/sessions/all/end/"), "olga", "olga"),
    AuditAct.FACTOR_ADDED: (lambda s: turned_on(s.browser), "olga", "olga"),
    AuditAct.FACTOR_REMOVED: (
        lambda s: (turned_on(s.browser), s.post("/accounts/factors/totp/deactivate/")),
        "olga",
        "olga",
    ),
    AuditAct.FACTOR_REFUSED: (Scene.factor_refused, "", "olga"),
    AuditAct.CODES_MADE: (
        lambda s: (turned_on(s.browser), post(s.browser, "recovery-codes/generate/")),
        "olga",
        "olga",
    ),
    AuditAct.CODE_USED: (Scene.code_used, "olga", "olga"),
    AuditAct.ACCOUNT_ERASED: (lambda s: erasing.erase(s.member().user, by=s.owner), "olga", None),
    AuditAct.DENIED: (
        lambda s: as_viewer(s.team).post("/settings/invitations/", {"role": "owner"}),
        "vera",
        "/settings/invitations/",
    ),
    AuditAct.SUBMITTED: (lambda s: make_request(team=s.team, person=s.owner), "olga", "acme/img"),
    AuditAct.CANCEL_ASKED: (
        lambda s: lifecycle.ask_cancel(s.uncertain().pk, person=s.owner, now=NOW()),
        "olga",
        "acme/img",
    ),
    AuditAct.GAVE_UP: (
        lambda s: lifecycle.give_up(s.uncertain().pk, person=s.owner, now=NOW()),
        "olga",
        "acme/img",
    ),
    AuditAct.PAYLOAD_DELETED: (
        lambda s: lifecycle.delete_payload(s.ended().pk, person=s.owner, now=NOW()),
        "olga",
        "acme/img",
    ),
    AuditAct.DELETED_AT_FAL: (Scene.deleted_at_fal, "", "acme/img"),
    AuditAct.REQUEST_DELETED: (
        lambda s: lifecycle.delete_request(s.ended().pk, person=s.owner, now=NOW()),
        "olga",
        "acme/img",
    ),
    AuditAct.PRUNED: (Scene.pruned, "", "payload of request"),
    AuditAct.EXPORTED: (
        lambda s: s.browser.get("/requests/export/?q=status:failed&format=jsonl"),
        "olga",
        "status:failed",
    ),
    AuditAct.IMPORTED: (lambda s: s.imported(), "olga", "acme/img"),
    AuditAct.BULK_STARTED: (Scene.bulk, "olga", "Cancel"),
    AuditAct.BULK_PAUSED: (lambda s: bulk_control.pause(s.bulk(), now=NOW()), "", "Cancel"),
    AuditAct.BULK_RESUMED: (Scene.resumed, "", "Cancel"),
    AuditAct.BULK_STOPPED: (lambda s: bulk_control.stop(s.bulk(), now=NOW()), "", "Cancel"),
    AuditAct.BULK_RETRIED: (Scene.retried, "", "Cancel"),
    AuditAct.BATCH_STARTED: (
        lambda s: batch_control.start(s.batch(BatchState.READY), person=s.owner, now=NOW()),
        "olga",
        "hundred suns",
    ),
    AuditAct.BATCH_CANCELLED: (
        lambda s: batch_control.cancel(s.batch(BatchState.RUNNING), person=s.owner, now=NOW()),
        "olga",
        "hundred suns",
    ),
    AuditAct.BATCH_RETRIED: (
        lambda s: batch_control.retry_failed(
            s.batch(BatchState.RUNNING, ItemState.FAILED), person=s.owner, now=NOW()
        ),
        "olga",
        "hundred suns",
    ),
    AuditAct.KEY_ADDED: (Scene.key, "olga", "production"),
    AuditAct.KEY_REPLACED: (
        lambda s: s.post(f"/settings/fal-keys/{s.key()}/replace/", {"secret": "id:another-abcd"}),
        "olga",
        "production",
    ),
    AuditAct.KEY_REMOVED: (
        lambda s: s.post(f"/settings/fal-keys/{s.key()}/remove/"),
        "olga",
        "production",
    ),
    AuditAct.TOKEN_MADE: (Scene.token, "olga", "ci"),
    AuditAct.TOKEN_REVOKED: (lambda s: tokens.revoke(s.boss, s.token(), now=NOW()), "olga", "ci"),
    AuditAct.JOINED: (
        lambda s: members.join(s.team, make_person("nina"), Role.MEMBER),
        "nina",
        "nina",
    ),
    AuditAct.ROLE_CHANGED: (
        lambda s: members.change_role(s.member(), Role.ADMIN, by=s.boss),
        "olga",
        "tom",
    ),
    AuditAct.SIGHT_CHANGED: (
        lambda s: members.set_sight(s.member(), sees_payloads=False, by=s.boss),
        "olga",
        "tom",
    ),
    AuditAct.REMOVED: (lambda s: members.remove(s.member(), by=s.boss), "olga", "tom"),
    AuditAct.INVITED: (
        lambda s: invitations.offer(s.team, "nina", Role.MEMBER, by=s.boss, now=NOW()),
        "olga",
        "nina",
    ),
    AuditAct.LEFT: (lambda s: members.leave(s.member()), "tom", "tom"),
    AuditAct.TRANSFERRED: (lambda s: owning.transfer(s.member().pk, by=s.boss), "olga", "tom"),
    AuditAct.TEAM_DELETING: (lambda s: s.delete_team(), "olga", "Acme"),
    AuditAct.TEAM_DELETED: (lambda s: s.delete_team(work=True), "", None),
    AuditAct.TEAM_MADE: (lambda s: s.post("/teams/new/", {"name": "Two"}), "olga", "Two"),
    AuditAct.TEAM_RENAMED: (
        lambda s: s.post("/settings/team/rename/", {"name": "Two"}),
        "olga",
        "Two",
    ),
    AuditAct.WITHDRAWN: (
        lambda s: (
            invitations.offer(s.team, "nina", Role.MEMBER, by=s.boss, now=NOW()),
            s.post(f"/settings/invitations/{s.team.invitations.get().pk}/withdraw/"),
        ),
        "olga",
        "nina",
    ),
    AuditAct.SETTING_CHANGED: (
        lambda s: s.post("/settings/duplicates/", {"minutes": "7"}),
        "olga",
        "minutes in which the same input is asked about",
    ),
}


def as_viewer(team: Team) -> Client:
    client = Browser()
    client.force_login(make_person("vera", team=team, role=Role.VIEWER))
    return client


@pytest.mark.slow
@pytest.mark.parametrize("act", list(AuditAct), ids=str)
def test_an_act_leaves_one_entry(act: AuditAct, team: Team, owner: User) -> None:
    do, actor, label = DOING[act]
    do(Scene(team, owner))
    entry = AuditEntry.objects.get(act=act)
    assert entry.actor == actor and label in (None, entry.label)
    made = Team.objects.order_by("pk").last() if act == AuditAct.TEAM_MADE else team
    assert made and entry.chain == (0 if act == AuditAct.LOGIN_THROTTLED else made.pk)
    assert "secret" not in entry.details and PASSWORD not in entry.details


def test_what_was_refused_or_undone_leaves_none(team: Team, owner: User, teammate: User) -> None:
    scene = Scene(team, owner)
    row = scene.ended()
    assert lifecycle.ask_cancel(row.pk, person=owner, now=NOW()) == "ended"
    assert not lifecycle.give_up(row.pk, person=owner, now=NOW())
    scene.post("/settings/fal-keys/", {"key_name": "k", "secret": "no colon", "pattern": ""})
    assert not AuditEntry.objects.exclude(act=AuditAct.SUBMITTED).exists()


def test_a_changed_value_stands_with_the_one_before(team: Team, owner: User) -> None:
    scene = Scene(team, owner)
    members.change_role(scene.member(), Role.VIEWER, by=scene.boss)
    entry = AuditEntry.objects.get(act=AuditAct.ROLE_CHANGED)
    assert entry.details == '{"after":"viewer","before":"member"}'


def test_a_page_is_known_by_its_address_and_a_program_by_its_token(team: Team, owner: User) -> None:
    scene = Scene(team, owner)
    scene.browser.post("/settings/duplicates/", {"minutes": "7"}, REMOTE_ADDR="192.0.2.7")
    text = tokens.issue(scene.boss, tokens.NewToken("ci", TokenScope.READ))
    headers = {"Authorization": f"Bearer {text}"}
    Client().get("/api/v1/export/", headers=headers, REMOTE_ADDR="192.0.2.8")
    Client().post("/api/v1/requests/", headers=headers, REMOTE_ADDR="192.0.2.8")
    seen = AuditEntry.objects.values_list("act", "actor", "token", "address")
    assert set(seen) >= {
        ("setting.change", "olga", "", "192.0.2.7"),
        ("request.export", "olga", "ci", "192.0.2.8"),
        ("access.denied", "olga", "ci", "192.0.2.8"),
    }


def test_every_download_leaves_an_entry(team: Team, owner: User) -> None:
    scene = Scene(team, owner)
    row = scene.ended()
    for name in ("export", "export_audit", "media_zip"):
        scene.browser.get(reverse(f"requests:{name}"), {"format": "csv"})
    scene.browser.get(reverse("requests:run_file", args=[row.public_id]))
    exported = AuditEntry.objects.filter(act=AuditAct.EXPORTED).values_list("kind", "actor")
    assert sorted(exported) == [(kind, "olga") for kind in ("audit", "media", "requests", "run")]

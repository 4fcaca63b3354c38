"""Who may not see inputs and outputs finds none: one word stands in every payload, and everything is asked for it.

Each walk is made by a member who does not see and by one who does, with the same role: the word is nowhere for the
one, and where it should be for the other, so that no walk passes because there was nothing to find.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.urls import reverse

from requests_app.models import HIDDEN, ApiToken, FalRequest, Membership, Role
from requests_app.models.permissions import TABLE, Right, allows
from requests_app.teams import invitations, members, tokens
from requests_app.teams.people import TeamChangeRefused
from requests_app.urls import urlpatterns
from requests_app.views.sight import BESIDE, OPEN, REDACTED
from tests.builders import make_person
from tests.views.sight_scene import CANARY, SEED, Scene

ROUTES = {str(one.name): one for one in urlpatterns}
# Where the member who sees finds the word, among all pages that are read.
TELLING = {
    "list", "rows", "detail", "result", "peek", "detail_live", "logs", "frames", "frame", "frame_raw", "input", "output",
    "run_file", "compare", "export", "export_file", "preset", "batch", "batch_live",
    "batch_results", "error_group", "errors", "runs", "new", "endpoint", "palette", "completions",
    "bulk_action", "bulk_live", "bulk_actions", "exports", "export_job", "export_live", "notices", "notice_log", "gallery", "gallery_tiles", "request_tags", "messages", "message", "deliveries", "delivery_body",
}  # fmt: skip
# What stands on pages without the word, of those which have parts with it.
SHOWN = {
    "compare": "acme/img", "exports": "olga", "export_job": "olga", "notices": "ops", "notice_log": "not sent",
    "presets": "portrait", "preset": "olga", "preset_menu": "portrait", "realtime": "olga", "sessions": "olga",
    "forwarding": "Destinations",
}  # fmt: skip
SPARED = {  # they would end the scene, or are of no member
    "change_role", "change_sight", "remove_member", "leave_team", "end_session", "run_retention", "setup", "join",
    "webhook",
}  # fmt: skip


@pytest.fixture
def scene(db: None, settings: Any, tmp_path: Any) -> Scene:
    settings.DATA_DIR = tmp_path
    return Scene()


def text_of(reply: Any) -> str:
    """All that an answer says: its body, unpacked where it is a zip, and its headers."""
    body = reply.getvalue() if reply.streaming and not reply.is_async else b""
    if reply.streaming and reply.is_async:
        body = async_to_sync(_read)(reply)
    body = body or getattr(reply, "content", b"")
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"\n".join(archive.read(name) for name in archive.namelist()) + repr(archive.namelist()).encode()  # fmt: skip
    return body.decode("utf-8", "replace") + str(reply.headers)


async def _read(reply: Any) -> bytes:
    return b"".join([piece async for piece in reply.streaming_content])


def queries(scene: Scene, name: str) -> list[str]:
    """What a page is asked beside its address, so that it shows all it can."""
    done, failed = scene.done.public_id, scene.failed.public_id
    return {
        "list": ["", f"?q={CANARY[:6]}*", f"?peek={done}", "?table=seed.kind"],
        "rows": [f"?ids={done},{failed}"],
        "compare": [f"?id={done}&id={failed}"],
        "new": ["?endpoint=acme/img", f"?again={done}", f"?again={failed}", f"?preset={scene.preset.public_id}"],
        "new_batch": [f"?preset={scene.preset.public_id}"],
        "runs": ["?endpoint=acme/img"],
        "realtime": ["", f"?again={scene.session.public_id}", "?endpoint=acme/live"],
        "messages": ["?endpoint_id=acme/live"],
        "batch_live": ["?was=running"],
        "bulk_live": ["?was=running"],
        "export_live": ["?was=finished"],
        "batch_results": ["?format=csv", "?format=jsonl"],
        "palette": ["", f"?q={CANARY[:6]}"],
        "completions": ["?typed=input.prompt:", "?typed=output.", "?typed=group:", "?typed=seed:"],
        "export": ["?format=csv", "?format=jsonl", "?format=zip"],
        "preset_menu": ["?endpoint_id=acme/img"],
        "thumbnails": [f"?ids={done}"],
        "changes": ["", "?since=0"],
        "ended": ["", f"?since=0&tell={done}"],
        "errors": ["", "?state=all"],
        "logs": ["", "?after=0"],
        "detail": ["", "?tab=raw", f"?q={CANARY[:6]}*"],
        "result": ["", "?hidden=peek"],
    }.get(name, [""])  # fmt: skip


def addresses(scene: Scene, name: str) -> Iterator[str]:
    pattern: Any = ROUTES[name].pattern
    names = list(getattr(pattern, "converters", {})) or list(pattern.regex.groupindex)
    for row in scene.rows if "public_id" in names else [scene.done]:
        given = scene.values(row, name)
        yield reverse(f"requests:{name}", kwargs={one: given[one] for one in names})
    if "group_id" in names:  # as members who see no sentence have it
        yield reverse(f"requests:{name}", kwargs={"group_id": f"n{scene.group.pk}"})


def walked(scene: Scene, client: Client) -> Iterator[tuple[str, str, Any]]:
    """Yield each page, as a reader and a script get it."""
    for name in ROUTES:
        for address in addresses(scene, name):
            for query in queries(scene, name):
                for headers in ({}, {"HX-Request": "true"})[: 1 + (name in REDACTED)]:
                    url = address + query
                    yield name, url, client.get(url, headers=headers)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)  # downloads are read in threads
def test_no_page_shows_the_word_to_who_may_not_see_it(scene: Scene) -> None:
    for name, url, reply in walked(scene, scene.browser(scene.hidden)):
        told = text_of(reply)
        assert CANARY not in told and SEED not in told, url
        if name not in OPEN:
            assert reply.status_code in (403, 405), url
        else:
            assert reply.status_code < 500 or name == "readyz", url
            assert name not in SHOWN or (reply.status_code == 200 and SHOWN[name] in told), url


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)  # downloads are read in threads
def test_every_page_that_should_shows_it_to_who_sees(scene: Scene) -> None:
    found = {name for name, _, reply in walked(scene, scene.browser(scene.seeing)) if CANARY in text_of(reply)}  # fmt: skip
    assert sorted(TELLING - found) == []


@pytest.mark.slow
def test_no_write_answers_with_the_word(scene: Scene) -> None:
    client = scene.browser(scene.hidden)
    for name in ROUTES:
        if name in SPARED:
            continue
        for address in list(addresses(scene, name))[:1]:
            form = {
                "token": "t" * 32, "endpoint_id": "acme/other", "input": "{}", "mode": "queue", "q": f"input.prompt:{CANARY[:9]}*",
                "verb": "tag", "scope": "matching", "input_of": str(scene.done.public_id), "again_of": str(scene.done.public_id),
            }  # fmt: skip
            reply = client.post(address, form)
            assert CANARY not in text_of(reply), address
            assert name in OPEN or reply.status_code in (403, 405), address


def test_the_sentence_stands_in_place_of_what_is_hidden(scene: Scene) -> None:
    client = scene.browser(scene.hidden)
    for url in ("/requests/", f"/requests/{scene.done.public_id}/", "/requests/gallery/"):
        assert client.get(url).text.count(HIDDEN) == 1
    page = client.get(f"/requests/{scene.done.public_id}/").text
    assert "a note of a person" in page and "kept" in page and "req-1" in page
    failed = client.get(f"/requests/{scene.failed.public_id}/").text
    assert "content_policy_violation · HTTP 422" in failed


ORACLES = (
    CANARY, f"-{CANARY}", f"{CANARY[:6]}*", f"input.seed:{SEED}", f"-input.seed:{SEED}", f"output.text:{CANARY}",
    "error:refused", f"seed:{SEED}", "has:image", "group:0000000000000007", f"{CANARY} OR dusk",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("asked", ORACLES, ids=str)
def test_a_search_tells_nothing_of_payloads(asked: str, scene: Scene) -> None:
    client, bearer = scene.browser(scene.hidden), program(scene, scene.hidden)
    page = client.get("/requests/", {"q": asked})
    assert "not searched for you" in page.text and 'class="row"' not in page.text
    counts = client.get("/requests/counts/", {"q": asked}).text
    assert "1" not in "".join(part.split("</")[0] for part in counts.split("chip-count")[1:])
    ids = f"{scene.done.public_id},{scene.failed.public_id}"
    assert scene.done.endpoint_id not in client.get("/requests/rows/", {"q": asked, "ids": ids}).text  # fmt: skip
    form = {"verb": "tag", "scope": "matching", "q": asked}
    assert "Tag 0" in client.post("/requests/bulk/ask/", form).text
    assert bearer.get("/api/v1/requests/", {"q": asked}).status_code == 422
    bulk = {"verb": "star", "q": asked, "dry_run": True}
    assert bearer.post("/api/v1/bulk/", bulk, content_type="application/json").status_code == 422


def test_other_searches_find_rows(scene: Scene) -> None:
    client = scene.browser(scene.hidden)
    for asked in ("status:failed", "endpoint:acme/* by:olga", "tag:kept", "after:2d id:", ""):
        if asked.endswith("id:"):
            asked += str(scene.done.public_id)[:8]
        assert 'class="row"' in client.get("/requests/", {"q": asked}).text


# --- programs


def program(scene: Scene, user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {ApiToken.issue(user, scene.team)}"})


def api_addresses(scene: Scene) -> Iterator[str]:
    given = {
        "requests": scene.done.public_id, "presets": scene.preset.public_id, "batches": scene.batch.public_id,
        "bulk": scene.bulk.public_id, "exports": scene.export.public_id, "errors": scene.values(scene.done, "")["group_id"],
        "endpoints": "acme/img",
    }  # fmt: skip
    for path in Client().get("/api/v1/openapi.json").json()["paths"]:
        room = path.split("/")[3]
        for row in scene.rows if room == "requests" else [scene.done]:
            value = str(row.public_id if room == "requests" else given.get(room, ""))
            address = path.replace("{id}", value).replace("{endpoint_id}", value)
            yield address.replace("{number}", "1")


API_TELLS = (
    "/input/",
    "/output/",
    "/run/",
    "/frames/",
    "/export/",
    "/file/",
    "/presets/",
    "/items/",
    "/errors/",
)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)  # downloads are read in threads
def test_no_operation_tells_a_program_of_who_may_not_see(scene: Scene) -> None:
    hidden, seeing = program(scene, scene.hidden), program(scene, scene.seeing)
    found = set()
    for address in api_addresses(scene):
        if address.endswith("/events/"):
            continue
        for query in ("", "?format=jsonl", "?raw=true"):
            assert CANARY not in text_of(hidden.get(address + query)), address
            if CANARY in text_of(seeing.get(address + query)):
                found.add(address)
        if not address.endswith(("/uploads/", "/cancel/")):
            for body in ({}, {"q": ""}, {"text": "words"}, {"tags": ["a"]}):
                reply = hidden.post(address, body, content_type="application/json")
                assert CANARY not in text_of(reply), address
    for part in API_TELLS:
        assert any(part in address for address in found), part
    assert hidden.get("/api/v1/me/").json()["sees_payloads"] is False
    detail = hidden.get(f"/api/v1/requests/{scene.done.public_id}/").json()
    assert detail["hidden"] and detail["input"] is None and detail["summary"] == ""
    assert "a note of a person" in json.dumps(detail["observations"])


@pytest.mark.django_db(transaction=True)
def test_a_stream_of_events_is_for_those_who_see(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    scene = Scene()

    async def status(user: User) -> int:
        text = await sync_to_async(ApiToken.issue)(user, scene.team)
        headers = {"Authorization": f"Bearer {text}"}
        reply = await AsyncClient().get(f"/api/v1/requests/{scene.done.public_id}/events/", headers=headers)  # fmt: skip
        told = (
            b"".join([piece async for piece in reply.streaming_content]) if reply.streaming else b""
        )
        assert (CANARY.encode() in told) is (user == scene.seeing)
        return int(reply.status_code)

    assert async_to_sync(status)(scene.hidden) == 403
    assert async_to_sync(status)(scene.seeing) == 200


def test_run_again_sends_the_whole_input_and_shows_none(scene: Scene) -> None:
    client, bearer = scene.browser(scene.hidden), program(scene, scene.hidden)
    client.post(f"/requests/{scene.done.public_id}/again/", {"token": "t" * 32})
    bearer.post(f"/api/v1/requests/{scene.done.public_id}/again/", headers={"Idempotency-Key": "one"})  # fmt: skip
    for row in FalRequest.objects.filter(again_of=scene.done):
        assert row.input_text == FalRequest.objects.get(pk=scene.done.pk).input_text


# --- the table and the right


def test_the_table_names_every_act_and_owners_may_do_all() -> None:
    assert set(TABLE) == set(Right)
    assert all(allows(Role.OWNER, act, sees_payloads=False) for act in Right)
    assert [role for role in Role if allows(role, Right.SEE_PAYLOADS, sees_payloads=False)] == [Role.OWNER]  # fmt: skip
    assert not REDACTED & BESIDE and set(ROUTES) >= OPEN


def test_the_right_is_given_and_taken_on_the_people_page(scene: Scene) -> None:
    boss = scene.browser(scene.owner)
    address = reverse("requests:change_sight", args=[scene.other.pk])
    boss.post(address, {"sees": "0"})
    assert not Membership.objects.get(pk=scene.other.pk).sees
    assert "Who may do what" in boss.get("/settings/").text
    boss.post(address, {"sees": "1"})
    assert Membership.objects.get(pk=scene.other.pk).sees


def test_who_does_not_see_gives_the_right_to_no_one(scene: Scene) -> None:
    mine = scene.member
    mine.refresh_from_db()
    for member in (mine, scene.other):
        Membership.objects.filter(pk=member.pk).update(sees_payloads=False)
        with pytest.raises(TeamChangeRefused):
            members.set_sight(member, sees_payloads=True, by=mine)
    with pytest.raises(TeamChangeRefused):
        owner = scene.team.memberships.get(role=Role.OWNER)
        members.set_sight(owner, sees_payloads=False, by=owner)
    now = scene.failed.created_at
    secret = invitations.invite(scene.team, Role.ADMIN, by=mine, now=now)
    guest = make_person("gus")
    invitations.accept(secret, guest, now=now)
    tokens.issue(mine, tokens.NewToken("ci", "read", is_service=True))  # type: ignore[arg-type]
    made = Membership.objects.filter(team=scene.team).exclude(pk__lte=scene.other.pk)
    assert made.count() == 2 and not any(one.sees for one in made)

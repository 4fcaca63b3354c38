"""Three people at the API: an owner, a teammate who may only look, and a stranger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.utils import timezone

from requests_app.models import ApiToken, FalRequest, Role, Team
from tests.builders import make_person, make_request

BASE = "/api/v1/requests/"


@dataclass
class Caller:
    """A program with a token."""

    user: Any
    team: Team
    text: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}"}

    @property
    def token(self) -> ApiToken:
        found = ApiToken.find(self.text, now=timezone.now())
        assert found
        return found

    def get(self, path: str = "", **headers: str) -> HttpResponse:
        return Client().get(BASE + path, headers=self.headers | headers)

    def delete(self, path: str = "") -> HttpResponse:
        return Client().delete(BASE + path, headers=self.headers)

    def post(self, path: str = "", body: Any = None, **headers: str) -> HttpResponse:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return Client().post(
            BASE + path, data, content_type="application/json", headers=self.headers | headers
        )

    async def follow(self, row: FalRequest, **headers: str) -> Any:
        return await AsyncClient().get(
            f"{BASE}{row.public_id}/events/", headers=self.headers | headers
        )

    def make(self, endpoint_id: str = "acme/one", **values: Any) -> FalRequest:
        """A row of the team, recorded as the product records it, then given these columns."""
        row = make_request(
            team=self.team,
            person=self.user,
            endpoint_id=endpoint_id,
            input={"prompt": "a lighthouse"},
        )
        FalRequest.objects.filter(pk=row.pk).update(**values)
        row.refresh_from_db()
        return row


def join(name: str, team: Team, role: Role) -> Caller:
    user = make_person(name, team=team, role=role)
    return Caller(user, team, ApiToken.issue(user, team))


@pytest.fixture
def owner(db: None) -> Caller:
    return join("olive", Team.objects.create(name="Lighthouse"), Role.OWNER)


@pytest.fixture
def teammate(owner: Caller) -> Caller:
    return join("tim", owner.team, Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> Caller:
    return join("sam", Team.objects.create(name="Elsewhere"), Role.OWNER)

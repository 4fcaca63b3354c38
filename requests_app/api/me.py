"""Who a token acts as: the path /api/v1/me/."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Router, Schema

from requests_app.api.auth import ApiRequest
from requests_app.api.schemas import Problem
from requests_app.models import Role

router = Router(tags=["me"])


class Me(Schema):
    """The token's user and team; `may_submit`: whether the role allows to submit and cancel."""

    person: str
    team: str
    role: str
    may_submit: bool
    token_created_at: datetime


@router.get("", response={200: Me, 401: Problem}, summary="Who the token acts as")
def me(request: ApiRequest) -> dict[str, Any]:
    """The user, the team and the role that every call with this token has."""
    token = request.auth
    return {
        "person": token.user.get_username(),
        "team": token.team.name,
        "role": token.role,
        "may_submit": Role(token.role).may_submit,
        "token_created_at": token.created_at,
    }

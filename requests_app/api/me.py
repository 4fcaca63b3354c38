"""Who a token acts as: the path /api/v1/me/."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Schema

from requests_app.api.auth import READS_ROWS, ApiRequest
from requests_app.api.schemas import words
from requests_app.models import Role, TokenScope

router = Router(tags=["me"])


class Me(Schema):
    """The token's user and team.

    `may_submit`: whether role and scope allow to submit and cancel; `sees_payloads`: whether inputs and outputs
    are shown to its user.
    """

    person: str
    team: str
    role: Annotated[str, words(Role)]
    may_submit: bool
    sees_payloads: bool
    token_name: str
    token_scope: Annotated[str, words(TokenScope)]
    token_created_at: datetime
    token_expires_at: datetime | None


@router.get("", auth=READS_ROWS, response={200: Me}, summary="Who the token acts as")
def read(request: ApiRequest) -> dict[str, Any]:
    """The user, the team and the role that every call with this token has."""
    token = request.auth
    return {
        "person": token.user.get_username(),
        "team": token.team.name,
        "role": token.role,
        "may_submit": not token.refusal(TokenScope.SUBMIT),
        "sees_payloads": token.sees,
        "token_name": token.name,
        "token_scope": token.scope,
        "token_created_at": token.created_at,
        "token_expires_at": token.expires_at,
    }

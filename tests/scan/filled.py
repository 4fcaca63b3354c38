"""A team with one of everything, made in the process of an installation; and where its scan begins and does not go."""

from __future__ import annotations

import json

from tests.isolation.estate import Estate
from tests.isolation.pages import ROUTES, address, queries
from tests.isolation.rights import READS

# Not to be called: after them the rest would be scanned without a log-in, a team, rights or rows.
DESTRUCTIVE = (
    "account_logout", "account_delete", "account_change_password", "account_email", "account_name", "end_session",
    "account_reset_password_from_key", "delete_team", "leave_team", "transfer_team", "require_factors",
    "switch_team", "new_team", "delete_request", "change_role", "remove_member", "retention", "run_retention",
)  # fmt: skip
# Of allauth: a second factor or another account would end the log-in.
OF_ALLAUTH = ("/accounts/factors/*", "/accounts/signup/*", "/accounts/oidc/*")
SESSIONS = ("/settings/sessions/*", "/settings/members/*/sessions/*")
# They answer with files.
FILES = ("export_file", "media_zip", "export", "export_audit", "client_wheel")


def fill() -> str:
    """Make the team; return as JSON who owns it, every address that is read, and those to leave out."""
    estate = Estate("navy", 7)
    starts = {
        name: [address(name, estate) + query for query in ("", *queries(name, estate, estate)[:2])]
        for name in READS
        if name in ROUTES and name not in DESTRUCTIVE + FILES
    }
    closed = [address(name, estate) + "*" for name in DESTRUCTIVE]
    return json.dumps({
        "user": estate.owner.username, "excluded": [*closed, *OF_ALLAUTH, *SESSIONS],
        "starts": [one for places in starts.values() for one in places],
    })  # fmt: skip

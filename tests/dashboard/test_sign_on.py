"""The settings of single sign-on."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard.sign_on import check_sign_on, check_sign_up, team_roles


def test_groups_are_mapped_to_teams_and_roles() -> None:
    said = ["ml = Vision Team : member", "cn=x=Ops: A:Owner"]
    assert team_roles("OIDC_TEAMS", said) == [
        ("ml", "Vision Team", "member"),
        ("cn=x", "Ops: A", "owner"),
    ]
    for bad in ("ml", "ml=", "ml=Team", "ml=Team:king", "=Team:owner", "cn=ops"):
        with pytest.raises(ImproperlyConfigured, match=r"OIDC_TEAMS has .* group=Team:role"):
            team_roles("OIDC_TEAMS", [bad])


def test_settings_that_let_no_one_in_stop_the_start() -> None:
    check_sign_on(issuer="https://x", client_id="y", has_passwords=False)
    check_sign_on(issuer="", client_id="", has_passwords=True)
    with pytest.raises(ImproperlyConfigured, match="PASSWORD_LOGIN"):
        check_sign_on(issuer="", client_id="", has_passwords=False)
    with pytest.raises(ImproperlyConfigured, match="OIDC_CLIENT_ID"):
        check_sign_on(issuer="https://x", client_id="", has_passwords=True)
    check_sign_up(is_open=True, has_mail=True, has_passwords=True)
    check_sign_up(is_open=False, has_mail=False, has_passwords=False)
    for has_mail, has_passwords in ((False, True), (True, False)):
        with pytest.raises(ImproperlyConfigured, match="SIGNUP is open"):
            check_sign_up(is_open=True, has_mail=has_mail, has_passwords=has_passwords)

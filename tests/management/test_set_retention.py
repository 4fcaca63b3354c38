from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from requests_app.models import Team

pytestmark = pytest.mark.django_db


def set_retention(*arguments: str) -> str:
    out = StringIO()
    call_command("set_retention", *arguments, stdout=out)
    return out.getvalue()


def days_of(team: Team) -> tuple[int | None, ...]:
    team.refresh_from_db()
    return team.payload_days, team.frames_days, team.rows_days


def test_everything_is_kept_for_ever_at_first(team: Team) -> None:
    assert (
        set_retention("Acme")
        == "rows: forever\npayload: forever\nframes: forever\nat fal: not touched\n"
    )


def test_it_changes_what_is_named_alone(team: Team) -> None:
    set_retention("Acme", "--payload", "30", "--frames", "7")
    assert days_of(team) == (30, 7, None)
    assert "frames: forever" in set_retention("Acme", "--frames", "forever")
    assert days_of(team) == (30, None, None)


def test_fal_is_asked_when_it_is_switched_on(team: Team) -> None:
    assert "at fal: deleted too" in set_retention("Acme", "--at-fal", "on")
    assert "at fal: deleted too" in set_retention("Acme", "--rows", "30")
    assert "at fal: not touched" in set_retention("Acme", "--at-fal", "off")


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "soon", "36501", "9" * 30, "٣"])
def test_days_that_are_none_are_refused_and_change_nothing(team: Team, days: str) -> None:
    with pytest.raises(CommandError, match="neither 'forever' nor"):
        set_retention("Acme", f"--payload={days}", "--rows=3")
    assert days_of(team) == (None, None, None)


def test_a_team_that_is_not_there_is_said_so(db: None) -> None:
    with pytest.raises(CommandError, match="no team 'Nobody'"):
        set_retention("Nobody", "--rows", "3")

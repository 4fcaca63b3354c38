from __future__ import annotations

from requests_app.uploads import rate
from requests_app.uploads.rate import Rate


def test_a_user_has_so_many_starts_in_any_period_and_others_have_their_own():
    bound = Rate(most=2, period_s=10)
    assert [bound.wait_s("a", now=now) for now in (0, 4, 9)] == [0, 0, 1]
    assert bound.wait_s("b", now=9) == 0
    assert [bound.wait_s("a", now=now) for now in (10, 11, 14)] == [0, 3, 0]


def test_users_who_do_nothing_are_forgotten(monkeypatch):
    monkeypatch.setattr(rate, "MOST_USERS", 3)
    bound = Rate(most=2, period_s=10)
    for now, user in enumerate("abcdef"):
        bound.wait_s(user, now=now * 6)
    assert len(bound._starts) <= 3

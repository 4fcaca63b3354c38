from __future__ import annotations

import inspect

import pytest

from requests_app.fal import errors
from requests_app.fal.errors import FalError, NotFinished, NotSent, Refused, TooLarge, Unanswered


def test_the_drawn_tree_names_every_error_of_the_module() -> None:
    tree = inspect.getdoc(errors) or ""
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, FalError):
            assert f" {name} " in tree or f"{name}  " in tree, name


def test_only_what_never_left_says_that_it_was_not_sent() -> None:
    assert NotSent("x").sent is False
    refused = Refused("x", status_code=422)
    assert all(e.sent for e in (Unanswered("x"), TooLarge("x"), NotFinished("x"), refused))


def test_an_unknown_outcome_is_never_retryable_unless_the_caller_says_so() -> None:
    assert Unanswered("x").retryable is False
    assert Unanswered("x", retryable=True).retryable is True
    assert NotSent("x").retryable and NotFinished("x").retryable


@pytest.mark.parametrize(
    ("code", "rate_limit", "gone"),
    [
        (429, True, False),
        (401, False, False),
        (403, False, False),
        (404, False, True),
        (410, False, True),
        (422, False, False),
    ],
)
def test_a_refusal_tells_its_kind(code: int, rate_limit: bool, gone: bool) -> None:
    refused = Refused("no", status_code=code)
    assert (refused.is_rate_limit, refused.is_gone) == (rate_limit, gone)
    assert refused.retryable is rate_limit


def test_an_unanswered_error_keeps_a_short_piece_of_what_came_back() -> None:
    assert len(Unanswered("x", body=b"a" * 10_000).body) == 4096

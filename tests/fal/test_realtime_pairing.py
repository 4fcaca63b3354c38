from __future__ import annotations

from requests_app.fal import Pair, Pairing
from requests_app.fal.realtime_pairing import MAX_OUTSTANDING, request_id_of


def test_one_request_and_one_reply_pair_by_order() -> None:
    pairing = Pairing(unary=True)
    pairing.sent(0, None, 10.0)
    assert pairing.received(None, 10.25) == Pair(0, 0.25)
    pairing.sent(1, "own", 11.0)
    assert pairing.received(None, 11.5) == Pair(1, 0.5)


def test_replies_that_changed_places_pair_by_their_id() -> None:
    pairing = Pairing(unary=True)
    pairing.sent(0, "a", 1.0)
    pairing.sent(1, "b", 2.0)
    assert pairing.received("b", 3.0) == Pair(1, 1.0)
    assert pairing.received("a", 5.0) == Pair(0, 4.0)


def test_with_two_on_the_way_order_says_nothing() -> None:
    pairing = Pairing(unary=True)
    pairing.sent(0, None, 1.0)
    pairing.sent(1, None, 2.0)
    assert pairing.received(None, 3.0) is None
    assert pairing.received(None, 4.0) is None


def test_after_all_were_answered_order_counts_again() -> None:
    pairing = Pairing(unary=True)
    pairing.sent(0, None, 1.0)
    pairing.sent(1, None, 2.0)
    pairing.received(None, 3.0)
    pairing.received(None, 4.0)
    pairing.sent(2, None, 5.0)
    assert pairing.received(None, 6.0) == Pair(2, 1.0)


def test_a_dropped_input_never_lets_a_later_reply_pair_by_order() -> None:
    pairing = Pairing(unary=True)
    pairing.sent(0, None, 1.0)  # dropped by the app
    pairing.sent(1, None, 2.0)
    assert pairing.received(None, 3.0) is None
    pairing.sent(2, None, 4.0)
    assert pairing.received(None, 5.0) is None


def test_one_left_after_an_unclaimed_reply_is_not_taken_for_certain() -> None:
    pairing = Pairing(unary=True)
    pairing.sent(0, "a", 1.0)
    pairing.sent(1, "b", 1.0)
    pairing.sent(2, "c", 1.0)
    assert pairing.received(None, 2.0) is None  # answers any of the three
    assert pairing.received("a", 3.0) == Pair(0, 2.0)
    assert pairing.received(None, 4.0) is None


def test_ids_that_differ_do_not_pair() -> None:
    pairing = Pairing(unary=True)
    pairing.sent(0, "mine", 1.0)
    assert pairing.received("another", 2.0) is None


def test_one_is_not_the_text_one() -> None:
    pairing = Pairing(unary=False)
    pairing.sent(0, 1, 1.0)
    assert pairing.received("1", 2.0) is None
    assert pairing.received(1, 2.0) == Pair(0, 1.0)


def test_an_id_used_twice_says_nothing() -> None:
    pairing = Pairing(unary=True)
    pairing.sent(0, "same", 1.0)
    pairing.sent(1, "same", 2.0)
    assert pairing.received("same", 3.0) is None


def test_streamed_outputs_all_pair_with_their_input_but_never_by_order() -> None:
    pairing = Pairing(unary=False)
    pairing.sent(0, "a", 1.0)
    assert [pairing.received("a", at) for at in (2.0, 3.0)] == [Pair(0, 1.0), Pair(0, 2.0)]
    assert pairing.received(None, 4.0) is None


def test_an_output_nobody_asked_for_is_no_reply() -> None:
    pairing = Pairing(unary=True)
    assert pairing.received(None, 1.0) is None
    pairing.sent(0, None, 2.0)
    assert pairing.received(None, 3.0) == Pair(0, 1.0)


def test_unanswered_requests_are_forgotten_and_order_with_them() -> None:
    pairing = Pairing(unary=True)
    for number in range(MAX_OUTSTANDING + 1):
        pairing.sent(number, number, 0.0)
    assert pairing.received(0, 1.0) is None  # forgotten
    for number in range(2, MAX_OUTSTANDING + 1):
        pairing.received(number, 1.0)
    pairing.sent(MAX_OUTSTANDING + 1, None, 2.0)
    assert pairing.received(None, 3.0) is None


def test_only_text_and_whole_numbers_are_ids() -> None:
    values = ["x", 7, True, 1.5, None, ["x"], {"a": 1}]
    found = [request_id_of({"request_id": value}) for value in values]
    assert found == ["x", 7, None, None, None, None, None]
    assert [request_id_of(v) for v in ([], "x", None, {})] == [None] * 4

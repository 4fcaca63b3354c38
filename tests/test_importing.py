"""Side by side each process begins with a share of its own, and imports all."""

from __future__ import annotations

from importlib.util import find_spec

from tests.importing import ROOT, in_turn, module_names


def test_each_process_begins_elsewhere_and_imports_all():
    names = ["a", "b", "c", "d", "e", "f", "g"]
    orders = [in_turn(names, number, 3) for number in range(3)]
    assert [order[0] for order in orders] == ["a", "c", "e"]
    assert all(sorted(order) == names for order in orders)


def test_modules_have_the_names_by_which_collection_imports_them():
    names = module_names(ROOT / "tests")
    assert __name__ in names and "tests.views.test_pages" in names
    assert find_spec(names[0]) is not None

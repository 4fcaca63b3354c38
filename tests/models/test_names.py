"""One idea of when two names are equal."""

from __future__ import annotations

import pytest

from requests_app.models.names import fault_of, keys_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("boss", "Boss"), ("boss", "BOSS"), ("boss", "ｂｏｓｓ"), ("boss", "𝐛𝐨𝐬𝐬"), ("boss", " boss "),
        ("boss", "bо\u0455ѕ"), ("boss", "bo\u200bss"), ("boss", "bo\u00adss"), ("boss", "\ufeffboss"),
        ("boss", "bo\u115fss"), ("boss", "boss\ufe0f"), ("boss", "bo\u2060ss\u202e"),
        ("admin", "аdmin"), ("admin", "ADMIN\u200b"), ("admin", "аԁmіn"), ("kim", "Кim"),
        ("ff", "ﬀ"), ("straße", "STRASSE"), ("istanbul", "İstanbul"), ("istanbul", "ıstanbul"),
        ("école", "E\u0301COLE"), ("σοφος", "ΣΟΦΟΣ"), ("иван", "Иван"), ("coca", "соса"),
        ("anna", "ΑΝΝΑ"), ("acme", "acme\U000e0100"), ("acme co", "Acme  Co"), ("acme co", "acme\u00a0co"), ("copy", "СОРУ"), ("Пα", "Πα"), ("hao", "hаօ"),
    ],
)  # fmt: skip
def test_names_that_read_the_same_are_equal(one: str, other: str) -> None:
    assert keys_of(one) & keys_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("boss", "bos"), ("boss", "b0ss"), ("ivan", "иван"), ("müller", "muller"), ("école", "ecole"),
        ("灯", "灯台"), ("anna", "анна"), ("boss", "bo.ss"), ("il", "ii"), ("rn", "m"), ("a", "ä"),
    ],
)  # fmt: skip
def test_names_that_read_differently_are_not(one: str, other: str) -> None:
    assert not keys_of(one) & keys_of(other)


@pytest.mark.parametrize("name", ["аdmin", "bоss", "Кim", "paρa", "αб", "hаo", "Ꭺnna", "ո-n"])
def test_a_name_of_mixed_scripts_has_a_fault_in_words(name: str) -> None:
    assert "Use one alphabet" in (fault_of(name) or "")


@pytest.mark.parametrize(
    "name",
    [
        "anna",
        "Анна",
        "Άννα",
        "灯台",
        "灯台tanaka",
        "とうだい灯",
        "김민수",
        "o'brien",
        "j.doe@x-1_2+3",
        "42",
    ],
)
def test_a_name_of_one_script_or_of_scripts_written_together_has_none(name: str) -> None:
    assert fault_of(name) is None


def test_a_key_fits_its_column_whatever_the_name_unfolds_to() -> None:
    assert max(map(len, keys_of("\u0390" * 150))) <= 600

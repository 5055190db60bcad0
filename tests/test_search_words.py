"""Misspelt words: what the vocabulary holds of merchants' names, and which words are found from a wrong one."""

from collections import Counter
from typing import Any

import pytest
from conftest import micros
from helpers import add_directory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from kamioi_web import loading
from kamioi_web.db import Database
from kamioi_web.generate import plan
from kamioi_web.generate.store import store
from kamioi_web.queries import search_words as queries
from kamioi_web.schema import merchants, search_typos, search_words
from kamioi_web.search import vocabulary
from kamioi_web.search.words import forms_of, words_of

AT = micros("2024-03-14T09:00:00")
LETTERS = st.sampled_from("abcdé東")
NAMES = ("Starbucks", "Starbucks Reserve", "Star Market", "Whole Foods Market", "Café Ünïcode", "東京カフェ",
         "7-Eleven", "H & M", "4121 0042", "Walgreens", "Wal-Mart Walgreens walgreens", "x" * 25, "")  # fmt: skip


def add_merchants(database: Database, names: tuple[str, ...], prefix: str = "") -> None:
    with database.writing() as connection:
        seen = {f"{prefix}{at} {name}": (name, AT, AT) for at, name in enumerate(names)}
        loading.find_or_add_merchants(connection, seen)


def counted(database: Database) -> tuple[dict[str, int], set[tuple[str, str]]]:
    """({word: n}, {(form, word)}) as stored."""
    with database.reading() as connection:
        words = {row.word: row.n for row in connection.execute(select(search_words))}
        return words, {tuple(row) for row in connection.execute(select(search_typos))}


def expected(names: list[str]) -> tuple[dict[str, int], set[tuple[str, str]]]:
    """The same from the names."""
    words = Counter(word for name in names for word in set(words_of(name)))
    return dict(words), {(form, word) for word in words for form in forms_of(word)}


def names_of(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.scalars(select(merchants.c.name)))


def near(database: Database, word: str) -> list[tuple[str, int]]:
    with database.reading() as connection:
        return queries.near(connection, word, 5)


def test_names_are_split_into_words() -> None:
    assert words_of("WHOLE FOODS Mkt #1021") == ["whole", "foods", "mkt"]
    assert words_of("Trader Joe's trader") == ["trader", "joe"]
    assert words_of("Cafe\u0301 Straße_7Up 东京 東京カフェ") == ["café", "strasse", "7up", "東京カフェ"]
    assert words_of("a bc 4121 \u202eabc\u200bdef " + "x" * 25) == ["abc", "def"]
    assert words_of("") == []


@given(st.text(LETTERS, min_size=4, max_size=9), st.data())
def test_one_mistake_always_shares_a_form(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(LETTERS)
    wrong = data.draw(
        st.sampled_from(
            [
                word[:at] + letter + word[at:],
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            ]
        )
    )
    assert forms_of(word) & (forms_of(wrong) | {wrong[:at] + wrong[at + 1 :]})
    if len(wrong) >= 4:
        assert forms_of(word) & forms_of(wrong)


def test_each_merchant_counts_once_for_each_of_its_words(database: Database) -> None:
    add_merchants(database, NAMES)
    add_merchants(database, NAMES)  # the same descriptors again
    add_merchants(database, ("Starbucks", "Peet's Coffee"), "later ")
    assert counted(database) == expected(names_of(database))
    assert counted(database)[0]["starbucks"] == 3
    assert counted(database)[0]["walgreens"] == 2


def test_a_load_that_fails_counts_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as connection:
        loading.find_or_add_merchants(connection, {"STARBUCKS": ("Starbucks", AT, AT)})
        raise RuntimeError
    assert counted(database) == ({}, set())


def test_what_another_process_added_meanwhile_is_counted_by_it_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database.dialect.partitions:
        pytest.skip("SQLite has one writer at a time")
    look = loading._merchants
    asked: list[Any] = []

    def look_too_early(connection: Any, descriptors: Any) -> dict[str, tuple]:
        found = look(connection, descriptors)
        if not asked:
            asked.append(descriptors)
            add_merchants(database, NAMES[:2])  # by a connection of its own, committed before ours goes on
        return found

    monkeypatch.setattr(loading, "_merchants", look_too_early)
    add_merchants(database, NAMES)
    assert counted(database) == expected(names_of(database))


def test_generated_and_rebuilt_words_are_the_same_as_added_ones(database: Database) -> None:
    for _ in range(2):
        store(database, plan(2_000), lambda done: None)
        assert counted(database) == expected(names_of(database))
    add_merchants(database, NAMES, "later ")
    kept = counted(database)
    with database.writing() as connection:
        assert vocabulary.rebuild(connection) == len(kept[0])
    assert counted(database) == kept


def test_words_that_are_missing_are_added_once(database: Database) -> None:
    assert vocabulary.add_missing(database) == 0
    add_directory(database)  # past the vocabulary, as in a database from before there was one
    assert vocabulary.add_missing(database) == len(expected(names_of(database))[0]) > 0
    assert counted(database) == expected(names_of(database))
    with database.writing() as connection:
        connection.execute(delete(search_typos))
    assert vocabulary.add_missing(database) == 0


def test_a_misspelt_word_finds_the_right_one(database: Database) -> None:
    add_merchants(database, NAMES)
    for wrong in ("starbuks", "starbuckss", "starbucka", "satrbucks", "tarbucks", "starrbucks"):
        assert near(database, wrong)[0] == ("starbucks", 2), wrong
    assert near(database, "whol") == [("whole", 1)]
    assert near(database, "cafe") == [("café", 1)]
    assert near(database, "東京カフ") == [("東京カフェ", 1)]
    assert near(database, "walgrens") == [("walgreens", 2)]
    for nothing in ("starbucks", "zzz", "", "%", "_____", "\"'", "abcdefghijk" * 1_000):
        assert near(database, nothing) == [], nothing


def test_the_more_frequent_word_comes_first(database: Database) -> None:
    add_merchants(database, ("Marlet", *["Market"] * 3, *["Markets"] * 2, *["Basket"] * 9))
    assert near(database, "marcet") == [("market", 3), ("marlet", 1)]
    assert near(database, "markett") == [("market", 3), ("markets", 2)]
    assert near(database, "marke") == [("market", 3)]
    assert near(database, "marlets") == [("markets", 2), ("marlet", 1)]


def test_two_mistakes_are_forgiven_in_long_words_only(database: Database) -> None:
    add_merchants(database, ("Supermarket", "Marks"))
    assert near(database, "superrmarkt") == [("supermarket", 1)]
    assert near(database, "mraskk") == []

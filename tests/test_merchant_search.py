"""A word that many merchants hold: the same rows whichever way their merchants are told, at a bounded cost."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from helpers import add_directory, get, ids_in, random_rows, scroll, statements_of, stored, url

from kamioi_web.db import Database
from kamioi_web.queries import merchants, transactions

SEARCHES = ("shop", "alpha", "SHOP BETA", "shop no 1", "sh", "S", "nobody", "op")
# Merchants to merge, merchants to name, rows to read at once: all at once, all merged, all named, none named.
WAYS = ((50, 2_000, 2_000), (50, 2_000, 0), (0, 2_000, 0), (0, 0, 0))


@pytest.mark.parametrize("path", ["/transactions"])
def test_the_same_rows_whichever_way(
    database: Database,
    make_transactions: Callable[..., None],
    make_client: Callable[..., FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    add_directory(database)
    make_transactions(random_rows(700))
    client = make_client(chunk_rows=40)
    for words in SEARCHES:
        there = [row.id for row in stored(database) if begins(row, words) or holds(row, words)]
        for merged, named, few in WAYS:
            monkeypatch.setattr(transactions, "FEW", few)
            monkeypatch.setattr(merchants, "MERGED", merged)
            monkeypatch.setattr(merchants, "NAMED", named)
            page = get(client, url(path, merchant=words)).text
            assert ids_in(page) + scroll(client, page, "older") == there, (words, merged, named, few)


def holds(row: Any, words: str) -> bool:
    return len(words) >= 3 and words.lower() in f"{row.descriptor} {row.merchant}".lower()


def begins(row: Any, words: str) -> bool:
    return len(words) < 3 and row.descriptor.lower().startswith(words.lower())


def test_a_scan_reads_no_text_index(
    database: Database, make_transactions: Callable[..., None], client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_directory(database)
    make_transactions(random_rows(300))
    monkeypatch.setattr(merchants, "MERGED", 0)
    for named in (2_000, 0):
        monkeypatch.setattr(merchants, "NAMED", named)
        with statements_of(client.application.extensions["database"].reader) as seen:
            get(client, "/transactions?merchant=alpha")
        on_rows = [statement for statement, _ in seen if "FROM transactions" in statement]
        assert on_rows
        for statement in on_rows:
            assert "SELECT merchants.id" not in statement, statement  # no list of merchants made anew for each window
            assert "MATCH" not in statement, statement
        looked_at = [statement for statement in on_rows if "merchants.id = transactions.merchant_id" in statement]
        assert bool(looked_at) == (named == 0)

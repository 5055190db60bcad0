"""A writer beside the browser, run as a process of its own: python -m tests.benchmarks.writer URL.

Inserts rows that are newer than all others, a few at a time, until it is told to stop; prints each number of rows.
"""

import sys
import time

from kamioi_web.db import Database
from kamioi_web.loading import POSTED_AT, TRANSACTION_COLUMNS, load_transactions
from tests.benchmarks.stores import settings_for
from tests.benchmarks.target import connect

REFERENCE = TRANSACTION_COLUMNS.index("source_ref")
AT_ONCE, PAUSE, STEP = 5, 0.1, 1_000_000


def main(url: str) -> None:
    """Insert copies of the newest row, each a second later than the one before."""
    database = Database(settings_for(url))
    names = ", ".join(TRANSACTION_COLUMNS)
    newest = (
        connect(url).execute(f"SELECT {names} FROM transactions ORDER BY posted_at DESC, id DESC LIMIT 1").fetchone()
    )
    added = 0
    while True:
        rows = []
        for _ in range(AT_ONCE):
            added += 1
            row = list(newest)
            row[POSTED_AT] += added * STEP
            row[REFERENCE] = f"bench-writer-{added}"
            rows.append(tuple(row))
        with database.writing() as connection:
            load_transactions(connection, rows)
        print(added, flush=True)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(sys.argv[1])

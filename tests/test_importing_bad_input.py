"""Files that are broken: each row is right, or rejected with its line and its reason; memory stays flat."""

import csv
import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from kamioi_web.errors import KamioiError
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.rows import Cache
from kamioi_web.importing.transactions import import_transactions

HEAD = b"Date,Merchant,Amount\n"
GOOD = b"2024-01-02,SHOP,1.00\n"


@pytest.fixture(autouse=True)
def _in_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(database, data, name="bad.csv", **options):
    Path(name).write_bytes(data)
    return import_transactions(database, Path(name), ImportOptions(**options), lambda progress: None)


def rejected(report):
    """[(line, reason)] of the rejects file."""
    with report.rejects_path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["line", "reason", "fields"] and len(rows) == report.rows_rejected + 1
    return [(int(row[0]), row[1]) for row in rows[1:]]


REJECTED = {
    b"2024-02-31,SHOP,1.00\n": "date: no such day",
    b"1969-01-01,SHOP,1.00\n": "date: before 1970",
    b"2024-01-01,,1.00\n": "no merchant",
    b"2024-01-01,SHOP,NaN\n": "amount: not a number",
    b"2024-01-01,SHOP,1e309\n": "amount: not a number",
    b"2024-01-01,SHOP,1.234\n": "amount: more than two decimals",
    b"2024-01-01,SHOP,\n": "no amount",
    b"2024-01-01,SH\0OP,1.00\n": "merchant: has a NUL",
    b"2024-01-01," + b"x" * 1001 + b",1.00\n": "merchant: longer than",
    b"2024-01-01," + b"x" * 65536 + b",1.00\n": "merchant: longer than",
    b"2024-01-01," + b"x" * 200_000 + b",1.00\n": "a field is longer than",
    b"2024-01-01," + b"x" * 3_000_000 + b",1.00\n": "the line is longer than",
    b"2024-01-01,SHOP\n": "has 2 fields, and the header has 3",
    b"2024-01-01,NEW,SHOP,1.00\n": "has 4 fields, and the header has 3",
    b"Date,Merchant,Amount\n": "the header again",
    b"2024-01-01,SHOP,1" + b" " * 60_000 + b"x\n": "amount: not a number",
    b"2024-01-01" + b" " * 60_000 + b"x,SHOP,1\n": "date: not written",
    b"Total,,12.00\n": "no merchant",
    b'2024-01-01,"SHOP,1.00\n': "a quote is opened",
    b'"2024-01-01,SHOP,1.00\n': "a quote is opened",
    "2024-01-01,SHOP,１.00\n".encode(): "amount: not a number",
    b"2024-01-01,SHOP,CAD 1.00 EUR\n": "amount: two currencies",
}


@pytest.mark.parametrize(
    ("line", "reason"), REJECTED.items(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_bad_row_is_rejected_alone(database, line, reason):
    report = load(database, HEAD + GOOD * 3 + line + GOOD * 200)
    assert (report.rows_added, report.rows_rejected) == (203, 1)
    ((number, why),) = rejected(report)
    assert number == 5 and why.startswith(reason)


RIGHT = {
    b'2024-01-01,"SHOP ""A"", Ltd","1,184.00"\n': ('SHOP "A", Ltd', 118400),
    b"2024-01-01,SHOP,$256.65\n": ("SHOP", 25665),
    b"2024-01-01,SHOP,(12.00)\n": ("SHOP", -1200),
    b'2024-01-01,SHOP,"1.234,56"\n': ("SHOP", 123456),
    b"2024-01-01,=HYPERLINK(1),5\n": ("=HYPERLINK(1)", 500),
    b'2024-01-01,"two\r\nlines",5\n': ("two\r\nlines", 500),
    b"2024-01-01,SHOP,5,,,\n": ("SHOP", 500),
    b"2024-01-01,SHOP,5\r\n": ("SHOP", 500),
    b'2024-01-01,5" PIPE,5\n': ('5" PIPE', 500),
    "2024-01-01,\u202eSHOP\u200b,5\n".encode(): ("\u202eSHOP\u200b", 500),
    b"2024-01-01,CAF\xc9,5\n": ("CAFÉ", 500),
    b"2024-01-01,  SHOP  ,5\n": ("SHOP", 500),
    b"2024-01-01," + b"x" * 1000 + b",5\n": ("x" * 1000, 500),
}


@pytest.mark.parametrize(
    ("line", "wanted"), RIGHT.items(), ids=lambda value: value[0][:9] if isinstance(value, tuple) else ""
)
def test_an_odd_row_is_read_right(database, line, wanted):
    report = load(database, HEAD + line + GOOD)
    assert (report.rows_added, report.rows_rejected) == (2, 0)
    assert (report.sample[0]["descriptor"], report.sample[0]["amount_cents"]) == wanted


def test_blank_lines_are_counted(database):
    report = load(database, HEAD + b"\n,,\n" + GOOD + b"  ,\t, \n\r\n")
    assert (report.rows_read, report.rows_added, report.rows_blank) == (1, 1, 4)


def test_a_quote_that_is_never_closed_costs_one_line(database):
    report = load(database, HEAD + GOOD * 50 + b'2024-01-01,"OPEN,1.00\n' + GOOD * 5_000)
    assert (report.rows_added, rejected(report)) == (5_050, [(52, report.reasons and next(iter(report.reasons)))])


def test_a_file_cut_off_in_a_quote(database):
    report = load(database, HEAD + GOOD * 30 + b'2024-01-01,"SHO')
    assert (report.rows_added, report.rows_rejected) == (30, 1)
    assert load(database, HEAD + GOOD * 30 + b'2024-01-01,"SHOP",2.00\n').rows_added == 1


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.999])
def test_a_gzip_file_that_ends_early(database, keep):
    lines = [b"2024-01-%02d,SHOP %d,%d.00\n" % (day % 28 + 1, day * 7919 % 1000, day) for day in range(20_000)]
    packed = gzip.compress(HEAD + b"".join(lines))
    report = load(database, packed[: int(len(packed) * keep)], "cut.csv.gz")
    assert 0 < report.rows_added < 20_000 and report.rows_rejected <= 1
    assert "ends early" in report.warnings[0]
    whole = load(database, packed, "cut.csv.gz")
    assert report.rows_added + whole.rows_added == 20_000 and whole.rows_rejected == 0


def test_a_damaged_gzip_file(database):
    packed = bytearray(gzip.compress(HEAD + b"".join(b"2024-01-01,SHOP %d,1.00\n" % n for n in range(50_000))))
    packed[len(packed) // 2 :] = b"\x55" * 2000
    report = load(database, bytes(packed), "bad.csv.gz")
    assert report.warnings and report.rows_added < 50_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no text"), (b"\n\n\n", "no text"), (b"\0" * 1000, "No column"), (b"PK\x03\x04rest", "zip"),
        (b"just some words\n" * 20, "No column"), (HEAD.replace(b"Date", b"When"), "date"), (b"\x1f\x8b", "no text"),
        (b"a," * 200_000 + b"\n", "no line of at most"), (bytes(range(256)) * 40, "No column|no text"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_explained(database, data, words):
    with pytest.raises(KamioiError, match=words):
        load(database, data)


def test_a_file_that_is_not_there(database):
    with pytest.raises(KamioiError, match="cannot be read"):
        import_transactions(database, Path("nowhere.csv"), ImportOptions(), lambda progress: None)
    with pytest.raises(KamioiError, match="cannot be read"):
        import_transactions(database, Path(), ImportOptions(), lambda progress: None)


def test_a_header_alone_is_an_import_of_nothing(database):
    assert load(database, HEAD).rows_read == 0


def test_bytes_that_do_not_decode_are_told(database):
    data = HEAD + "2024-01-01,CAFÉ,1.00\n".encode() * 20_000 + b"2024-01-01,CAF\xc9 2,1.00\n"
    report = load(database, data)
    assert report.rows_added == 20_001 and "1 bytes are not UTF-8" in report.warnings[0]


def test_rejected_cells_run_no_formula(database):
    report = load(database, HEAD + b"=1+1,@SUM(A1),-5\nx,\ttab,+5\n")
    text = report.rejects_path.read_text()
    assert ",'=1+1,'@SUM(A1),'-5" in text and ",'\ttab,'+5" in text


def test_a_cache_is_bounded():
    cache = Cache(int, limit=10)
    assert [cache[str(number)] for number in range(100)] == list(range(100)) and len(cache) <= 10


def test_memory_stays_flat():
    path = Path("long.csv")
    nowhere: Any = None  # a dry run opens no database
    peaks = []
    for size in (20_000, 80_000):
        with path.open("wb") as file:
            file.write(HEAD)
            for number in range(size):
                file.write(b"2024-01-02,SHOP %d,%d.25\n" % (number % 5_000, number % 5_000))
        tracemalloc.start()
        report = import_transactions(
            nowhere, path, ImportOptions(dry_run=True, batch_rows=5_000), lambda progress: None
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert report.rows_added == size
    assert peaks[1] < peaks[0] * 1.5 and peaks[1] < 60 << 20
    path.write_bytes(HEAD + b"2024-01-02,SHOP," + b"9" * (24 << 20) + b"\n" + GOOD)
    tracemalloc.start()
    report = import_transactions(nowhere, path, ImportOptions(dry_run=True), lambda progress: None)
    assert (report.rows_added, report.rows_rejected) == (1, 1)
    assert tracemalloc.get_traced_memory()[1] < 40 << 20
    tracemalloc.stop()

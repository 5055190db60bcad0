"""Whole files of transactions: every preset, other layouts, the same file again, files that grow."""

import csv
import gzip
import io
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from kamioi_web import migrations, totals
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.importing.detect import find_encoding
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.transactions import import_transactions
from kamioi_web.schema import imports, merchants, to_micros, transactions, users
from kamioi_web.settings import Settings

SMALL = {
    "barnet_pcard_2014_15.csv": ("JV Value", "Creditor", "GBP", None),
    "barnet_pcard_2015_16.csv": ("Total", "Creditor", "GBP", None),
    "barnet_pcard_2016_17.csv": ("Total", "Creditor", "GBP", None),
    "oxford_gpc_2017.csv": ("amount_gbp", "merchant_name", "GBP", None),
    "oklahoma_osu_pcard_2014_h1.csv": ("amount_usd", "vendor", "USD", "identical_charges_that_day"),
}


@pytest.fixture(autouse=True)
def _in_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(database, path, **options):
    return import_transactions(database, Path(path), ImportOptions(**options), lambda progress: None)


def stored(database):
    """(rows, {currency: cents}) of everything that is stored."""
    t = transactions.c
    with database.reading(60) as connection:
        rows = connection.execute(select(t.currency, func.count(), func.sum(t.amount_cents)).group_by(t.currency)).all()
    return sum(row[1] for row in rows), {row[0]: int(row[2]) for row in rows}


def all_rows(database, *names):
    columns = [transactions.c[name] for name in names or ("posted_at", "amount_cents", "currency", "category")]
    with database.reading(60) as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(transactions.c.id))]


def assert_totals(database):
    assert list(totals.check(database)) == []


def cents_of(text):
    """A second opinion on amounts, by way of Decimal."""
    plain = text.replace(",", "").replace("$", "").strip()
    sign = -1 if plain.startswith("(") else 1
    return sign * int(Decimal(plain.strip("()")) * 100)


def expected(path, amount, merchant, copies=None, encoding="utf-8", delimiter=","):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding=encoding, newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter=delimiter) if row[merchant].strip()]
    weights = [int(row[copies]) if copies else 1 for row in rows]
    return sum(weights), sum(cents_of(row[amount]) * weight for row, weight in zip(rows, weights, strict=True))


@pytest.mark.parametrize("name", SMALL)
def test_a_published_file_imports_to_the_cent(database, shared_data, name):
    amount, merchant, currency, copies = SMALL[name]
    path = shared_data / "transactions" / name
    rows, cents = expected(path, amount, merchant, copies)
    report = load(database, path)
    assert (report.rows_added, report.sums) == (rows, {currency: cents})
    assert stored(database) == (rows, {currency: cents})
    assert report.rows_rejected == (1 if name in ("barnet_pcard_2015_16.csv", "barnet_pcard_2016_17.csv") else 0)
    again = load(database, path)
    assert (again.rows_added, again.rows_known, again.rows_rejected) == (0, rows, report.rows_rejected)
    assert again.imported_before is not None and again.sums == report.sums
    assert stored(database) == (rows, {currency: cents})
    assert_totals(database)


@pytest.mark.parametrize(
    ("name", "amount", "encoding"),
    [
        ("toronto_pcard_2011_05_as_published.tsv", "Transaction Amt.", "utf-8"),
        ("toronto_pcard_2011_12_as_published.tsv", "Transaction Amt.", "latin-1"),
        ("toronto_pcard_2015_05_as_published.tsv", "Transaction Amt.", "utf-8"),
    ],
)
def test_a_file_as_the_city_published_it(database, shared_data, name, amount, encoding):
    path = shared_data / "raw_samples" / name
    rows, cents = expected(path, amount, "Merchant Name", encoding=encoding, delimiter="\t")
    report = load(database, path)
    assert (report.rows_added, report.sums) == (rows, {"CAD": cents})
    assert report.reasons == {"no merchant": report.rows_rejected} and report.rows_rejected > 500
    with report.rejects_path.open(newline="", encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == report.rows_rejected + 1
    assert "toronto-published" in " ".join(report.decided)
    assert_totals(database)


def test_the_encoding_of_a_latin_1_file(tmp_path, shared_data):
    path = shared_data / "raw_samples" / "toronto_pcard_2011_12_as_published.tsv"
    assert find_encoding(path.read_bytes()) == "cp1252"


@pytest.mark.parametrize(
    ("name", "rows", "cents"),
    [("sample_bank_statement.csv", 20, 144999), ("test_unmappable_transactions.csv", 10, 156564)],
)
def test_bank_statements(database, shared_data, name, rows, cents):
    path = shared_data / "legacy" / name
    with path.open(newline="") as file:
        amounts = [cents_of(row.get("Amount") or row["amount"]) for row in csv.DictReader(file) if any(row.values())]
    report = load(database, path, account="Jo Example")
    assert (len(amounts), sum(amounts)) == (rows, cents) == (report.rows_added, report.sums["USD"])
    with database.reading() as connection:
        user = connection.execute(select(users)).one()
    assert (user.name, user.account_type, user.account_number) == (
        "Jo Example",
        "individual",
        f"I{1_000_000 + user.id}",
    )
    assert load(database, path, account="Jo Example").rows_added == 0


@pytest.fixture
def sqlite_database(tmp_path):
    opened = Database(Settings(database_url=f"sqlite:///{tmp_path / 'big.db'}", secret_key="a key", _env_file=None))
    migrations.migrate(opened)
    yield opened
    opened.close()


def test_all_377_207_toronto_rows(sqlite_database, shared_data):
    wanted, rejected = Counter(), 0
    for path in sorted((shared_data / "transactions").glob("toronto_pcard_*.csv.gz")):
        rows, cents = expected(path, "amount", "merchant_name")
        wanted.update(rows=rows, cents=cents)
        report = load(sqlite_database, path)
        rejected += report.rows_rejected
        assert (report.rows_added, report.sums) == (rows, {"CAD": cents})
    assert (wanted["rows"], rejected) == (377_207, 0)
    assert stored(sqlite_database) == (377_207, {"CAD": wanted["cents"]})
    with sqlite_database.reading(60) as connection:
        kinds = set(connection.scalars(select(transactions.c.category).distinct()))
        assert connection.scalar(select(func.count()).select_from(users).where(users.c.account_type != "business")) == 0
    assert len(kinds) <= 20
    assert_totals(sqlite_database)


def test_all_302_174_birmingham_rows(sqlite_database, shared_data):
    path = shared_data / "transactions" / "birmingham_pcard_2014_2020.csv.gz"
    wanted: Counter[str] = Counter()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kind = "billing" if row["billing_gross_amount"] else "original"
            wanted[row[f"{kind}_currency"] or "GBP"] += cents_of(row[f"{kind}_gross_amount"])
    report = load(sqlite_database, path)
    assert (report.rows_added, report.rows_rejected, report.sums) == (302_174, 0, dict(wanted))
    assert stored(sqlite_database) == (302_174, dict(wanted))


def write(path, rows, header=("Date", "Merchant", "Amount"), **form):
    """A file of these rows; encoding, delimiter, quoting and line ends as told."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=form.get("delimiter", ","), quoting=form.get("quoting", csv.QUOTE_MINIMAL),
        lineterminator=form.get("lineterminator", "\n"),
    )  # fmt: skip
    writer.writerows([header, *rows])
    data = (form.get("before", "") + text.getvalue()).encode(form.get("encoding", "utf-8"))
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


ROWS = [("2024-03-01", "SHELL", "40.00"), ("2024-03-02", "CAFÉ ROUGE", "-3.50"), ("2024-03-02", "SHELL", "40.00")]
SEEN = (3, {"USD": 7650})


def test_gzip_and_other_encodings_are_the_same_import(database, tmp_path):
    first = load(database, write(tmp_path / "a.csv", ROWS))
    assert (first.rows_added, first.sums) == (3, {"USD": 7650})
    others = [
        write(tmp_path / "a.csv.gz", ROWS),
        write(tmp_path / "b.csv", ROWS, encoding="utf-8-sig"),
        write(tmp_path / "c.csv", ROWS, encoding="utf-16", lineterminator="\r\n"),
        write(tmp_path / "d.csv", ROWS, encoding="cp1252", delimiter=";"),
        write(tmp_path / "e.csv", ROWS, encoding="utf-16-le", delimiter="\t", lineterminator="\r"),
        write(tmp_path / "f.csv", ROWS, quoting=csv.QUOTE_ALL, delimiter="|", before="My bank\n\nStatement of March\n"),
    ]
    for path in others:
        report = load(database, path)
        assert (report.rows_added, report.rows_known) == (0, 3), path.name
    assert stored(database) == SEEN
    with database.reading() as connection:
        assert set(connection.scalars(select(merchants.c.descriptor))) == {"SHELL", "CAFÉ ROUGE"}
        assert connection.scalar(select(func.count()).select_from(imports)) == 1
    assert_totals(database)


def test_a_grown_file_adds_only_its_new_rows(database, tmp_path):
    many = [(f"2024-03-{day % 28 + 1:02}", f"SHOP {day}", f"{day}.00") for day in range(1, 60)]
    path = write(tmp_path / "grows.csv", many)
    assert load(database, path, batch_rows=10).rows_added == 59
    write(path, [*many, ("2024-04-01", "NEW", "5.00"), ("bad", "NEW", "5.00")])
    report = load(database, path)
    assert (report.rows_read, report.rows_added, report.rows_known, report.rows_rejected) == (61, 1, 59, 1)
    assert load(database, path).rows_added == 0
    write(path, [*many, ("2024-04-01", "NEW", "5.00"), ("bad", "NEW", "5.00"), ("2024-04-01", "NEW", "5.00")])
    assert load(database, path).rows_added == 1
    assert stored(database)[0] == 61
    assert Path("grows.csv.rejects.csv").read_text().splitlines() == [
        "line,reason,fields", "62,date: not written in a way that is known here,bad,NEW,5.00",
    ]  # fmt: skip


def test_a_small_file_may_grow_too(database, tmp_path):
    path = write(tmp_path / "small.csv", ROWS[:1])
    load(database, path)
    report = load(database, write(path, ROWS))
    assert (report.rows_added, report.rows_known) == (2, 1)


def test_a_last_line_without_an_end_may_be_completed_later(database, tmp_path):
    path = tmp_path / "cut.csv"
    path.write_text("Date,Merchant,Amount\n" + "2024-01-01,A,1.00\n" * 30 + "2024-01-02,B")
    first = load(database, path)
    assert (first.rows_added, first.rows_rejected) == (30, 1) and any("no line end" in line for line in first.warnings)
    assert load(database, path).rows_rejected == 1
    path.write_text(path.read_text() + ",2.00\n")
    report = load(database, path)
    assert (report.rows_added, report.rows_known, report.rows_rejected) == (1, 30, 0)
    assert stored(database) == (31, {"USD": 3200})


def test_a_file_that_changed_in_the_middle_is_refused_unless_it_is_meant(database, tmp_path):
    many = [(f"2024-03-{day % 28 + 1:02}", f"SHOP {day}", f"{day}.00") for day in range(1, 60)]
    path = write(tmp_path / "edited.csv", many)
    load(database, path)
    many[40] = ("2024-03-05", "OTHER", "1.00")
    write(path, many)
    with pytest.raises(KamioiError, match="has changed since"):
        load(database, path)
    assert stored(database)[0] == 59
    assert load(database, path, allow_changed=True).rows_added == 19
    assert load(database, path).rows_added == 0


def test_a_dry_run_stores_nothing_and_shows_the_first_rows(database, tmp_path):
    report = load(database, write(tmp_path / "dry.csv", [*ROWS, ("x", "y", "z")]), dry_run=True)
    assert (report.rows_read, report.rows_added, report.rows_rejected, report.sums) == (4, 3, 1, {"USD": 7650})
    assert [row["amount_cents"] for row in report.sample] == [4000, -350, 4000]
    assert stored(database) == (0, {}) and not list(tmp_path.glob("*.rejects.csv"))


def test_known_column_names_and_what_to_say_when_there_are_none(database, tmp_path):
    header = ("Posted Date", "Payee", "Debit", "Credit", "Currency", "Account")
    rows = [
        ("03/14/2024", "Corner Shop", "12.00", "", "eur", "a@b.example"),
        ("03/15/2024", "Corner Shop", "", "2.00", "", ""),
    ]
    report = load(database, write(tmp_path / "bank.csv", rows, header))
    assert report.sums == {"EUR": 1200, "USD": -200}
    with database.reading() as connection:
        assert set(connection.scalars(select(users.c.email))) == {"a@b.example", None}
    path = write(tmp_path / "strange.csv", [("14.3.2024", "Laden", "1,50")], ("Wann", "Wo", "Wieviel"), delimiter=";")
    with pytest.raises(KamioiError) as refusal:
        load(database, path)
    assert '"Wieviel"' in str(refusal.value) and '--map "Wann=date"' in str(refusal.value)
    report = load(database, path, mapping={"Wann": "date", "Wo": "merchant", "Wieviel": "-amount"}, currency="EUR")
    assert report.sums == {"EUR": -150}


def test_two_columns_with_one_name_are_told_apart_by_number(database, tmp_path):
    path = write(tmp_path / "twins.csv", [("2024-01-01", "A", "1", "2")], ("Date", "Merchant", "Amount", "Amount"))
    with pytest.raises(KamioiError, match='"Amount#2"'):
        load(database, path)
    with pytest.raises(KamioiError, match="are all named"):
        load(database, path, mapping={"Amount": "amount"})
    assert load(database, path, mapping={"Amount#2": "amount"}).sums == {"USD": 200}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "nowhere"}, "no preset"), ({"preset": "oxford"}, "has no column"),
        ({"currency": "dollar"}, "three letters"),
        ({"mapping": {"Amount": "sum"}}, "no field"), ({"mapping": {"Total": "amount"}}, "no column"),
        ({"encoding": "klingon"}, "no text encoding"), ({"encoding": "hex"}, "no text encoding"),
        ({"delimiter": "||"}, "one character"),
        ({"account_type": "x"}, "account type"),
        ({"rejects": Path("options.csv")}, "cannot be the file"), ({"rejects": Path("no/where.csv")}, "no folder"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_explained(sqlite_database, tmp_path, options, words):
    with pytest.raises(KamioiError, match=words):
        load(sqlite_database, write(tmp_path / "options.csv", ROWS), **options)


def test_day_or_month_first_is_found_far_into_the_file(sqlite_database, tmp_path):
    rows = [("01/02/2024", "A", "1.00")] * 5_000 + [("13/02/2024", "A", "1.00")]
    report = load(sqlite_database, write(tmp_path / "far.csv", rows))
    assert report.rows_rejected == 0 and any("day first" in line for line in report.decided)
    rows = [("01/02/2024", "B", "1.00")] * 3
    report = load(sqlite_database, write(tmp_path / "open.csv", rows))
    assert any("month first. Nothing in the file decides" in line for line in report.decided)
    days = {row[0].strftime("%m-%d") for row in all_rows(sqlite_database, "posted_at")}
    assert days == {"02-01", "02-13", "01-02"}
    report = load(sqlite_database, write(tmp_path / "told.csv", [("01/02/2024", "C", "1.00")]), dayfirst=True)
    assert report.sample[0]["posted_at"].month == 2


def test_a_purchase_of_a_mapped_merchant_is_mapped_and_allocated(database, tmp_path):
    with database.writing() as connection:
        connection.execute(
            merchants.insert().values(descriptor="SHELL", name="Shell", ticker="SHEL", category="Gas & Fuel",
                                      first_seen=_moment("2024-01-01"), last_seen=_moment("2024-01-01"))
        )  # fmt: skip
    load(database, write(tmp_path / "mapped.csv", ROWS))
    rows = all_rows(database, "status", "ticker", "round_up_cents", "fee_cents", "category", "source")
    assert rows == [
        ("mapped", "SHEL", 100, 0, "Gas & Fuel", "import"),
        ("pending", None, 0, 0, "Uncategorized", "import"),
        ("mapped", "SHEL", 100, 0, "Gas & Fuel", "import"),
    ]


def _moment(day):
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


cells = st.text(
    st.characters(codec="cp1252", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=12
)
rows_strategy = st.lists(
    st.tuples(
        st.dates(_moment("1990-01-01").date(), _moment("2090-01-01").date()), cells, st.integers(-(10**9), 10**9)
    ),
    min_size=1,
    max_size=12,
)


@hypothesis_settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows_strategy,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["{:,}", "{}", "${:,}", "comma"]),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%Y-%m-%dT%H:%M:%S"]),
)
def test_any_way_of_writing_a_file_gives_the_same_rows(
    tmp_path, rows, encoding, delimiter, quoting, lineterminator, style, dates
):
    def amount(cents):
        value = Decimal(cents) / 100
        if style == "comma":
            return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))
        return style.replace(":,", ":,.2f").replace("{}", "{:.2f}").format(value)

    written = [(day.strftime(dates), merchant, amount(cents)) for day, merchant, cents in rows]
    path = write(tmp_path / "any.csv", written, encoding=encoding, delimiter=delimiter, quoting=quoting,
                 lineterminator=lineterminator)  # fmt: skip
    report = load(None, path, dry_run=True)
    assert (report.rows_added, report.rows_rejected) == (len(rows), 0), report
    assert report.sums == {"USD": sum(cents for _, _, cents in rows)}
    for (day, merchant, cents), shown in zip(rows, report.sample, strict=False):
        assert (shown["posted_at"].date(), shown["descriptor"], shown["amount_cents"]) == (day, merchant, cents)
    assert to_micros(report.sample[0]["posted_at"]) % 86_400_000_000 == 0

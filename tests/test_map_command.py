"""kamioi-web map as a person uses it: a file of descriptors in, a CSV of companies out."""

import csv
import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from model_server import ModelServer, rows, saying

from kamioi_web.cli import main
from kamioi_web.settings import settings

PROGRAM = [sys.executable, "-m", "kamioi_web.cli", "map"]
HEADER = ["descriptor", "cleaned", "ticker", "company", "confidence", "step", "reason"]


class Ended(NamedTuple):
    """How a command ended and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, str]]:
        """The CSV on its standard output, once it ended well."""
        assert self.status == 0, self.err
        reader = csv.DictReader(io.StringIO(self.out, newline=""))
        assert reader.fieldnames == HEADER
        return list(reader)


Run = Callable[..., Ended]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """run("names.txt"): the command in a folder of its own, in this process."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["kamioi-web", "map", *map(str, words)])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        sys.stdout.flush()
        return Ended(status, *capfd.readouterr())

    return command


def test_a_text_of_one_descriptor_a_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("SQ *STARBUCKS 123\n\nSUBWAY 12345\nKOTYCK BROS, LIMITED\nCAFÉ ZOË\n", encoding="utf-8")
    starbucks, subway, kotyck, cafe = run(file).rows
    assert (starbucks["ticker"], starbucks["cleaned"], starbucks["step"]) == ("SBUX", "starbucks", "known")
    assert float(starbucks["confidence"]) >= 0.9 and "starbucks" in starbucks["reason"]
    assert (subway["ticker"], float(subway["confidence"]) > 0.9) == ("NONE", True)  # an answer: nobody's
    assert (kotyck["descriptor"], kotyck["ticker"], kotyck["step"]) == ("KOTYCK BROS, LIMITED", "", "nothing")
    assert (cafe["descriptor"], cafe["cleaned"]) == ("CAFÉ ZOË", "cafe zoe")
    assert not list(tmp_path.glob("*.db")), "it needs no database"


@pytest.mark.parametrize(
    "header", ["descriptor,amount", "Date,Description", "Creditor,Total", "merchant_name,ticker", "raw,x"]
)
def test_the_column_is_found_by_its_name(run: Run, tmp_path: Path, header: str) -> None:
    file = tmp_path / "some.csv.gz"
    values = [
        "HYATT REGENCY" if name in "descriptor Description Creditor merchant_name raw" else "1"
        for name in header.split(",")
    ]
    with gzip.open(file, "wt") as out:
        out.write(f"{header}\n{','.join(values)}\n")
    assert [(row["descriptor"], row["ticker"]) for row in run(file).rows] == [("HYATT REGENCY", "H")]


def test_another_column_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("what;who;when\nlunch;STARBUCKS;monday\n")
    refused = run(file)
    assert refused.status == 1 and "--column" in refused.err and '"who"' in refused.err
    assert [row["ticker"] for row in run(file, "--column", "who").rows] == ["SBUX"]
    wrong = run(file, "--column", "whom")
    assert wrong.status == 1 and 'no column "whom"' in wrong.err and "Traceback" not in wrong.err


def test_a_csv_of_one_column_without_a_heading_is_a_list(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("STARBUCKS 1\nHYATT\n")
    assert [row["ticker"] for row in run(file).rows] == ["SBUX", "H"]


def test_rows_stay_in_their_order_however_the_records_are_written(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "quoted.csv"
    file.write_text('Date,Merchant\n1,"TESCO, ""EXTRA"""\n\n2,\n3,"WALMART\nTULSA"\n4\n5,HYATT\n')
    done = run(file)
    rows = done.rows
    assert [row["descriptor"] for row in rows] == ['TESCO, "EXTRA"', "", "WALMART\nTULSA", "HYATT"]
    assert rows[1]["reason"] == "the descriptor holds no letter and no digit"
    assert "1 line(s) could not be read" in done.err


def test_no_text_of_a_merchant_acts_as_a_formula(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "hostile.txt"
    file.write_text('=HYPERLINK("http://x")\n+1 STARBUCKS\n@SUM(A1)\n-2+3\n')
    rows = run(file).rows
    assert [row["descriptor"][:2] for row in rows] == ["'=", "'+", "'@", "'-"]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.fixture
def fresh_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Settings are read again, in the test and after it."""
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


def test_asking_without_a_model_says_what_to_set(run: Run, tmp_path: Path, fresh_settings: pytest.MonkeyPatch) -> None:
    fresh_settings.delenv("KAMIOI_LLM_URL", raising=False)
    (tmp_path / "names.txt").write_text("KOTYCK BROS\n")
    refused = run("names.txt", "--ask")
    assert (refused.status, refused.out) == (1, "")
    assert "No model is set up. Set KAMIOI_LLM_URL" in refused.err


def test_a_model_is_asked_once_for_each_name_that_the_rules_cannot_tell(
    run: Run, tmp_path: Path, fresh_settings: pytest.MonkeyPatch
) -> None:
    lines = ["STARBUCKS 12", "KOTYCK BROS LIMITED", "SUBWAY", "SQ *KOTYCK BROS", "ZORBLAX SNACKS 77", "***"]
    (tmp_path / "names.txt").write_text("\n".join(lines))
    answers = {"zorblax snacks": ("SBUX", "a brand of theirs"), "kotyck bros": (None, "a local firm")}

    def say(merchants: list[dict[str, Any]]) -> list[dict[str, Any]]:
        told = zip(rows(merchants), merchants, strict=True)
        return [row | dict(zip(("ticker", "reason"), answers[one["name"]], strict=True)) for row, one in told]

    with ModelServer(saying(say)) as server:
        fresh_settings.setenv("KAMIOI_LLM_URL", server.url)
        fresh_settings.setenv("KAMIOI_LLM_MODEL", "scripted")
        found = run("names.txt", "--ask").rows
        assert server.names == {"kotyck bros": 1, "zorblax snacks": 1}
    assert [row["ticker"] for row in found] == ["SBUX", "NONE", "NONE", "NONE", "SBUX", ""]
    assert [row["step"] for row in found] == ["known", "model", "known", "model", "model", "nothing"]
    assert found[4]["reason"] == "scripted says: a brand of theirs"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.csv", b"", "holds no text"),
        ("sheet.csv", b"PK\x03\x04rest", "a spreadsheet"),
        ("damaged.csv.gz", gzip.compress(b"merchant\n" + b"HYATT\n" * 50_000)[:-30], "ends early"),
    ],
)
def test_a_file_that_is_not_right_is_told_in_a_line(
    run: Run, tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    ended = run(tmp_path / name)
    assert said in ended.err and "Traceback" not in ended.err
    assert ended.status == (0 if name.startswith("damaged") else 1)


def test_whoever_reads_may_stop_early(tmp_path: Path) -> None:
    file = tmp_path / "many.txt"
    file.write_text("STARBUCKS\n" * 20_000)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [*PROGRAM, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=tmp_path
    ) as running:
        assert running.stdout and running.stderr
        assert running.stdout.readline().startswith(b"descriptor")
        running.stdout.close()
        said = running.stderr.read()
        assert (running.wait(60), b"Traceback" in said, b"BrokenPipe" in said) == (0, False, False)


def test_published_files_are_read_whole_by_themselves(run: Run, shared_data: Path) -> None:
    for name in ("oklahoma_osu_pcard_2014_h1.csv", "barnet_pcard_2015_16.csv", "oxford_gpc_2017.csv"):
        path = shared_data / "transactions" / name
        with path.open(encoding="utf-8", newline="") as lines:
            count = sum(1 for row in csv.reader(lines) if any(map(str.strip, row))) - 1
        rows = run(path).rows
        assert len(rows) == count
        assert len({row["ticker"] for row in islice(rows, 2_000)}) > 5

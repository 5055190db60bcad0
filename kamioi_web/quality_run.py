"""A measurement on a labelled file as pages show it: its figures, its calibration, its mistakes."""

from typing import Any

from kamioi_web import charts
from kamioi_web.charts import Figure, Label, Line
from kamioi_web.jobs import quality
from kamioi_web.mapping.measure import MISTAKES
from kamioi_web.pages import JOBS, MAPPINGS
from kamioi_web.request_context import settings_of
from kamioi_web.sql_types import AnyRow
from kamioi_web.text import day_text, moment_text, number_text, percent_text

HREF = f"{MAPPINGS.href}/quality"
STEPS = ("known", "match", "guess", "model", "nothing")
SOURCES = {
    "known": "a known alias",
    "match": "a match",
    "guess": "a guess of the rules",
    "model": "the model",
    "nothing": "nothing",
}
NONE_YET = "–"
Part = dict[str, Any]


def shown(row: AnyRow) -> dict[str, Any]:
    """What the job's page shows of a run."""
    links = [{"href": href_of(row.id), "text": "The figures"}] if row.state == "done" else []
    return {"links": links, "notes": _words(row.result) if row.state == "done" else []}


def line(row: AnyRow, chosen: AnyRow | None) -> dict[str, Any]:
    """A run in the list of runs."""
    done, result = row.state == "done", row.result
    return {
        "href": href_of(row.id) if done else f"{JOBS.href}/{row.id}",
        "file": row.parameters["file_name"],
        "current": chosen is not None and row.id == chosen.id,
        "ordered": f"{day_text(row.created_at.date().isoformat())} {row.created_at:%H:%M}",
        "rows": number_text(result["whole"]["rows"]) if done else row.state,
        "precision": _precision(result["whole"]) if done else NONE_YET,
        "recall": _recall(result["known"]) if done else NONE_YET,
    }


def run(row: AnyRow, may: bool) -> dict[str, Any]:
    """Everything about one run; one that is not done has its state only."""
    about = {
        "file": row.parameters["file_name"],
        "state": row.state,
        "error": row.error,
        "job_href": f"{JOBS.href}/{row.id}",
        "at": moment_text(row.finished_at or row.created_at),
        "done": row.state == "done",
    }
    return about | _figures(row, may) if row.state == "done" else about


def href_of(id: int) -> str:
    """Where the figures of a run are drawn."""
    return f"{HREF}?job={id}#run"


def band_text(tenth: int) -> str:
    """The confidences of a tenth: 90–100 %."""
    return f"{tenth * 10}–{tenth * 10 + 10} %"


def _figures(row: AnyRow, may: bool) -> dict[str, Any]:
    result = row.result
    bands = {int(tenth): part for tenth, part in sorted(result["bands"].items())}
    has_file = may and quality.mistakes_of(settings_of(), row) is not None
    return {
        "tiles": _tiles(result),
        "words": _words(result)[1:],
        "sources": [_source(step, result["sources"][step]) for step in STEPS if step in result["sources"]],
        "bands": [_band(tenth, part) for tenth, part in reversed(bands.items())],
        "chart": _calibration(bands) if bands else None,
        "off": _off(list(bands.values())),
        "tickers": [(ticker, number_text(n)) for ticker, n in result["tickers"]],
        "tickers_more": number_text(result["tickers_more"]) if result["tickers_more"] else "",
        "mistakes": [(MISTAKES[name], number_text(n)) for name, n in _in_order(result["mistakes"])],
        "listed": [_mistake(*one) for one in result["listed"]],
        "mistakes_n": number_text(sum(result["mistakes"].values())),
        "file_href": f"{HREF}/{row.id}/mistakes" if has_file else "",
    }


def _tiles(result: dict[str, Any]) -> list[dict[str, str]]:
    whole, known, outside, nobody = (result[name] for name in ("whole", "known", "outside", "nobody"))
    alone = nobody["rows"] - nobody["answers"]
    return [
        {"label": "Precision", "value": _precision(whole), "note": _of(whole["answers_right"], whole["answers"])},
        {"label": "Recall", "value": _recall(known), "note": _of(known["answers_right"], known["rows"])},
        {
            "label": "Recall, not in catalogue",
            "value": _recall(outside) if outside["rows"] else "none labelled so",
            "note": _of(outside["answers_right"], outside["rows"]) if outside["rows"] else "",
        },
        {
            "label": "Nobody’s, no ticker given",
            "value": _percent(alone, nobody["rows"]) if nobody["rows"] else "none labelled so",
            "note": _of(alone, nobody["rows"]) if nobody["rows"] else "",
        },
    ]


def _words(result: dict[str, Any]) -> list[str]:
    """What was measured, in sentences; the first has the two figures."""
    whole, known, outside = result["whole"], result["known"], result["outside"]
    labelled = known["rows"] + outside["rows"]
    found = [
        f"Precision {_precision(whole)}, recall {_recall(known)}.",
        f"{number_text(whole['rows'])} rows; {number_text(labelled)} are labelled with a ticker, of which "
        f"{number_text(outside['rows'])} are outside the catalogue. An answer stands from "
        f"{percent_text(result['threshold'])} on.",
    ]
    if result["unsure"]:
        found.append(f"{number_text(result['unsure'])} rows labelled UNSURE were left out.")
    if "model" in result:
        asked, without = number_text(result["asked"]), number_text(result["unanswered"])
        found.append(f"The model {result['model']} was asked about {asked} rows, and had no answer for {without}.")
    else:
        found.append("The model was not asked.")
    return [*found, *result["notes"]]


def _source(step: str, part: Part) -> tuple[str, ...]:
    return (
        SOURCES[step],
        number_text(part["rows"]),
        NONE_YET if step == "nothing" else _percent(part["right"], part["rows"]),
        number_text(part["stand"]),
        _percent(part["stand_right"], part["stand"]),
        _precision(part),
    )


def _band(tenth: int, part: Part) -> tuple[str, ...]:
    mean, right = part["confidence"] / part["rows"], part["right"] / part["rows"]
    return (
        band_text(tenth),
        number_text(part["rows"]),
        f"{mean * 100:.1f} %",
        percent_text(right),
        f"{(right - mean) * 100:+.1f}".replace("-", "−"),
        number_text(part["stand"]),
        _precision(part),
    )


def _calibration(bands: dict[int, Part]) -> dict[str, Any]:
    """The share that was right beside the mean confidence, band by band; a band without rows is a gap."""
    labels = [Label(f"{tenth * 10} %", band_text(tenth)) for tenth in range(10)]

    def figures(name: str) -> list[Figure | None]:
        shares = [bands[tenth][name] / bands[tenth]["rows"] if tenth in bands else None for tenth in range(10)]
        return [None if share is None else Figure(share * 100, f"{share * 100:.1f} %") for share in shares]

    lines = [Line("was right", figures("right")), Line("mean confidence", figures("confidence"), dashed=True)]
    return charts.line("calibration", "Right, by confidence", labels, lines, lambda share: f"{share:.0f} %", 10)


def _off(bands: list[Part]) -> str:
    """By how much the confidence misses the share that was right, on average over the proposals."""
    rows = sum(part["rows"] for part in bands)
    missed = sum(abs(part["confidence"] - part["right"]) for part in bands)
    return f"{missed / rows * 100:.1f}" if rows else ""


def _mistake(line: int, text: str, label: str, answer: str, confidence: float, step: str, kind: str) -> dict[str, str]:
    return {
        "line": number_text(line),
        "descriptor": text,
        "label": label,
        "answer": answer or NONE_YET,
        "confidence": percent_text(confidence) if answer else NONE_YET,
        "source": SOURCES.get(step, step),
        "kind": MISTAKES[kind],
    }


def _in_order(mistakes: dict[str, int]) -> list[tuple[str, int]]:
    return [(name, mistakes[name]) for name in MISTAKES if name in mistakes]


def _precision(part: Part) -> str:
    return _percent(part["answers_right"], part["answers"], "no answer")


def _recall(part: Part) -> str:
    return _percent(part["answers_right"], part["rows"], "none labelled so")


def _percent(n: int, of: int, none: str = NONE_YET) -> str:
    return percent_text(n / of) if of else none


def _of(n: int, of: int) -> str:
    return f"{number_text(n)} of {number_text(of)}"

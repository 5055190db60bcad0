"""What a run found: tables as text while it goes, and everything as JSON at the end."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = Sequence[Any]


class Report:
    """Tables and goals, printed as they come. Nothing here passes or fails."""

    def __init__(self, machine: dict[str, Any]) -> None:
        self.machine = machine
        self.tables: list[dict[str, Any]] = []
        self.goals: list[dict[str, Any]] = []
        self.began = time.monotonic()
        for name, value in machine.items():
            print(f"{name}: {value}")

    def say(self, text: str) -> None:
        """A line on what is going on, with the seconds since the start."""
        print(f"[{time.monotonic() - self.began:6.0f} s] {text}", flush=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Row], notes: Sequence[str] = ()) -> None:
        """Print a table and keep it; `notes` stand below it."""
        self.tables.append({"title": title, "columns": [*columns], "rows": [[*row] for row in rows], "notes": [*notes]})
        print(f"\n## {title}")
        _print_columns(columns, rows)
        for note in notes:
            print(f"   {note}")
        print(flush=True)

    def goal(self, name: str, value: float | None, most: float | None = None, least: float | None = None) -> None:
        """Keep a figure beside what it should be at most or at least."""
        if value is not None:
            self.goals.append({"name": name, "value": round(value, 3), "most": most, "least": least})

    def finish(self, path: Path) -> None:
        """Print the goals and write the JSON file."""
        rows = [(goal["name"], goal["value"], _wanted(goal), _verdict(goal)) for goal in self.goals]
        if rows:
            self.table("Goals", ("figure", "measured", "goal", ""), rows)
        path.parent.mkdir(parents=True, exist_ok=True)
        found = {"machine": self.machine, "tables": self.tables, "goals": self.goals}
        path.write_text(json.dumps(found, indent=1, default=str))
        self.say(f"written to {path}")


def shown(value: Any) -> str:
    """A cell as text: more digits for small numbers, none for large ones, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, float):
        size = abs(value)
        return f"{value:,.0f}" if size >= 1000 else f"{value:.1f}" if size >= 100 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _print_columns(columns: Sequence[str], rows: Sequence[Row]) -> None:
    texts = [[*columns], *([shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in texts) for at in range(len(columns))]
    words = [any(isinstance(row[at], str) for row in rows) for at in range(len(columns))]
    for row in texts:
        cells = (
            text.ljust(width) if left else text.rjust(width)
            for text, width, left in zip(row, widths, words, strict=True)
        )
        print("  ".join(cells).rstrip())


def _wanted(goal: dict[str, Any]) -> str:
    return f"at most {goal['most']:g}" if goal["most"] is not None else f"at least {goal['least']:g}"


def _verdict(goal: dict[str, Any]) -> str:
    if goal["most"] is not None:
        return "met" if goal["value"] <= goal["most"] else "MISSED"
    return "met" if goal["value"] >= goal["least"] else "MISSED"

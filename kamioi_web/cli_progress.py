"""Progress of long commands: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import click

EVERY_SECONDS = 5


@contextmanager
def progress_lines(total: int | None, unit: str) -> Generator[Callable[[int], None]]:
    """A function to call with how many are done; it writes to stderr."""
    if sys.stderr.isatty() and total:
        with click.progressbar(length=total, file=sys.stderr, show_pos=True, label=unit) as bar:
            yield lambda done: bar.update(max(0, min(done, total) - bar.pos))
        return
    began = said = time.monotonic()

    def say(done: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= EVERY_SECONDS:
            said = now
            of = f" of {total:,}" if total else ""
            click.echo(f"{done:,}{of} {unit}, {done / (now - began):,.0f} a second", err=True)

    yield say

"""Telling the progress of a job that has no chunks, seldom enough that this costs nothing."""

import time

from kamioi_web.errors import Busy
from kamioi_web.jobs.running import Job

SECONDS = 0.5


class Telling:
    """Call it as often as there is something to tell; it also meets the wishes of the admins."""

    def __init__(self, job: Job, rows_total: int | None) -> None:
        self.job, self.rows_total, self.next = job, rows_total, 0.0

    def __call__(self, rows_done: int) -> None:
        """So many rows are dealt with."""
        self.job.check()
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + SECONDS
        try:
            self.job.note(rows_done, self.rows_total)
        except Busy:  # another writes for long: that is told later, and no reason to begin anew
            self.job.check()

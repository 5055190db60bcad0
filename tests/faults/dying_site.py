"""The site with one fault: the first time that a form has been carried out, its process is killed before it answers.

python -m faults.dying_site PORT MARK
"""

import os
import signal
import sys
from pathlib import Path

from kamioi_web import serving
from kamioi_web.jobs.bell import Bell
from kamioi_web.settings import settings

MARK = Path(sys.argv[2])
ring = Bell.ring


def die_once(bell: Bell, queue: str) -> None:
    """The bell is rung when the transaction has committed and nothing is answered yet."""
    if not MARK.exists():
        MARK.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    ring(bell, queue)


Bell.ring = die_once  # ty: ignore[invalid-assignment]
serving.serve(settings(), "127.0.0.1", int(sys.argv[1]), 1)

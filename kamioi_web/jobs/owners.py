"""Who has a job: a worker's name, and whether the worker of that name is gone.

A name says machine, process space, process and when that began. So a worker can tell of one on its own machine that it
is gone, and need not wait until its lease ends; of one elsewhere, or that only stands still, the lease decides.
"""

import os
import socket
from pathlib import Path


def our_name() -> str:
    """The name of this process as a worker."""
    return f"{_place()}:{os.getpid()}:{_began(os.getpid())}"


def is_gone(name: str) -> bool:
    """Whether that worker ran here and is no more; False where that cannot be told."""
    place, _, process = name.partition(":")
    number, _, began = process.partition(":")
    if place != _place() or not number.isdigit() or not began:
        return False
    return _began(int(number)) != began


def _place() -> str:
    """This machine and its space of processes: two containers may have the same name, and both a process 1."""
    space = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()}/{os.readlink(space) if space.exists() else ''}".replace(":", "")


def _began(process: int) -> str:
    """When a process began, in ticks since the machine did; '' when there is none, or where that is not told.

    The state stands before it: a zombie has ended, though its parent has not asked for it yet.
    """
    try:
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if told[0] in "ZX" else told[19]

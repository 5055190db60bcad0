"""Workers that begin at once: one process has imported everything, and each worker is a fork of it.

It reads a line of JSON for each worker, {"env": {...}, "log": "..."}, and answers with the number of its process.
"""

import gc
import json
import logging
import os
import signal
import sys
import traceback

from kamioi_web.jobs.worker import Worker
from kamioi_web.settings import Settings


def work(order: dict) -> None:
    """Be a worker, as the command would be one."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    said = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.environ.update(order["env"])
    logging.basicConfig(level=logging.WARNING)
    Worker(Settings(), ("default",), 2).run()


def main() -> None:
    """Fork a worker for each line until there is no more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what has ended is gone, and no zombie
    gc.freeze()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            try:
                work(json.loads(line))
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(0)
        print(process, flush=True)


if __name__ == "__main__":
    main()

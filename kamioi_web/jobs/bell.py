"""Waking the workers: huey carries the call, the database holds the job, so a call that is lost costs a second."""

import logging
from collections.abc import Callable
from typing import Any

from huey import Huey, RedisHuey, SqliteHuey
from redis import ConnectionPool

from kamioi_web.jobs.tables import QUEUES
from kamioi_web.settings import Settings

log = logging.getLogger(__name__)
FILE = "kamioi-queue.db"  # in the folder of files, or beside the database; it may be deleted whenever nothing runs
LISTEN_SECONDS = 1  # of a worker, before it asks Redis again
WAIT_SECONDS = 0.25  # an answer to a person does not wait longer for it


class Bell:
    """A bell for each queue. Ring it after the job's transaction has committed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.hueys: dict[str, Huey] = {}
        self.calls: dict[str, Any] = {}
        self.answer: Callable[[str], object] = lambda queue: None

    def huey(self, queue: str) -> Huey:
        """The huey of a queue, opened when it is first needed."""
        if queue not in self.hueys:
            self.hueys[queue] = made = _make(self.settings, queue)
            self.calls[queue] = made.task(name="wake")(lambda: self.answer(queue))
        return self.hueys[queue]

    def ring(self, queue: str) -> None:
        """Wake a worker of the queue. Where that fails the workers find the job by themselves, a little later."""
        try:
            self.huey(queue)
            self.calls[queue]()
        except Exception as error:  # whatever the transport raises: the job is safe in the database
            log.warning("no worker of %s was woken: %s", queue, error)


def _make(settings: Settings, queue: str) -> Huey:
    assert queue in QUEUES
    name = f"kamioi-{queue}"
    if settings.redis_url:
        limits = {"socket_connect_timeout": WAIT_SECONDS, "socket_timeout": LISTEN_SECONDS + 1}
        pool = ConnectionPool.from_url(settings.redis_url, **limits)
        return RedisHuey(name, connection_pool=pool, read_timeout=LISTEN_SECONDS, results=False)
    folder = settings.files or settings.database_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return SqliteHuey(name, filename=str(folder / FILE), results=False, timeout=WAIT_SECONDS, cache_mb=1)

"""The worker: it waits for the bell, looks by itself now and then, and carries out what is due."""

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError

from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.jobs import store
from kamioi_web.jobs.bell import Bell
from kamioi_web.jobs.owners import is_gone, our_name
from kamioi_web.jobs.working import work
from kamioi_web.settings import Settings

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
GRACE_SECONDS = 30.0  # a chunk takes a tenth of a second; an export is begun anew elsewhere
LISTEN: dict[str, Any] = {"periodic": False, "max_delay": 0.3, "backoff": 1.3, "check_worker_health": True}


class Worker:
    """Some threads for each queue, so that a long job of one does not keep another waiting."""

    def __init__(self, settings: Settings, queues: Sequence[str], threads: int) -> None:
        self.settings = settings
        self.queues = tuple(queues)
        needed = len(self.queues) * threads * 2 + 2  # each job has a connection of its own, and one for its heartbeat
        self.database = Database(settings.model_copy(update={"pool_size": max(settings.pool_size, needed)}))
        self.bell = Bell(settings)
        self.bell.answer = self.drain
        self.owner = our_name()
        self.stop = threading.Event()
        self.slots = {queue: threading.BoundedSemaphore(threads) for queue in self.queues}
        self.threads = threads

    def run(self, with_parent: bool = False) -> None:
        """Work until SIGTERM or SIGINT, or until the parent ends; what runs then is given back after its chunk."""
        consumers = [self.bell.huey(queue).create_consumer(workers=self.threads, **LISTEN) for queue in self.queues]
        logging.getLogger("huey").setLevel(logging.CRITICAL)  # it would tell many times a second that Redis is away
        for consumer in consumers:
            consumer.start()
        for number in (signal.SIGTERM, signal.SIGINT):  # after huey's own, which would not wait for a chunk
            signal.signal(number, lambda *_: self.stop.set())
        parent = os.getppid()
        while not self.stop.wait(LOOK_SECONDS):
            self.look()
            if with_parent and os.getppid() != parent:
                self.stop.set()
        for consumer in consumers:
            consumer.stop_flag.set()
        self._wait_for_all()
        self.database.close()

    def drain(self, queue: str) -> None:
        """Carry out what is due in a queue, unless as many threads as there may be do so already."""
        slot = self.slots[queue]
        while not self.stop.is_set() and slot.acquire(blocking=False):
            try:
                done = work(self.database, queue, self.owner, self.stop)
            except (KamioiError, DBAPIError) as error:
                log.warning("the queue %s waits: %s", queue, error)
                return
            finally:
                slot.release()
            if not done:  # else a call may have come in vain while the slot was still held
                return

    def look(self) -> None:
        """Begin with what nobody rang for: a call that was lost, a job whose worker is gone, one that is due by now."""
        try:
            self._end_leases_of_the_gone()
            with self.database.reading() as connection:
                found = store.wakeable(connection)
        except (KamioiError, DBAPIError) as error:
            log.warning("cannot look for jobs: %s", error)
            return
        for queue in found:
            if queue in self.slots:
                threading.Thread(target=self.drain, args=(queue,), daemon=True).start()

    def _end_leases_of_the_gone(self) -> None:
        with self.database.reading() as connection:
            left = [row for row in store.running(connection) if is_gone(row.owner)]
        for row in left:
            with self.database.writing() as connection:
                store.end_lease(connection, row.id, row.fence)

    def _wait_for_all(self) -> None:
        until = time.monotonic() + GRACE_SECONDS
        for slot in self.slots.values():
            for _ in range(self.threads):
                slot.acquire(timeout=max(0, until - time.monotonic()))

"""Aggregates that are kept for some seconds: computed once however many ask, the age always known."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask_caching import Cache
from redis.exceptions import RedisError

T = TypeVar("T")
KEPT_SECONDS = 600  # a stale value still serves while a fresh one is computed
LOCAL_KEYS = 500
WAIT_SECONDS = 2


@dataclass(frozen=True)
class Aged(Generic[T]):
    """A value and when it was computed, in seconds since 1970."""

    value: T
    at: float

    @property
    def age(self) -> float:
        return max(0.0, time.time() - self.at)


class Aggregates:
    """Keeps values in this process and, behind it, in the cache that all processes share (Redis, when there is one)."""

    def __init__(self, shared: Cache, fresh_seconds: float) -> None:
        self.shared = shared
        self.fresh_seconds = fresh_seconds
        self.local: OrderedDict[str, Aged[Any]] = OrderedDict()
        self.locks: dict[str, threading.Lock] = {}
        self.guard = threading.Lock()

    def get(self, key: str, compute: Callable[[], T]) -> Aged[T]:
        """The value of a key, at most `fresh_seconds` old; a somewhat older one while another caller computes."""
        known = self._known(key)
        if known and known.age < self.fresh_seconds:
            return known
        lock = self._lock(key)
        if not lock.acquire(timeout=0 if known else WAIT_SECONDS):
            return known or Aged(compute(), time.time())
        try:
            newest = self._known(key)
            if newest and newest.age < self.fresh_seconds:
                return newest
            return self._keep(key, Aged(compute(), time.time()))
        finally:
            lock.release()

    def kept(self, key: str) -> Aged[Any] | None:
        """What is kept of a key, however old; nothing is computed."""
        return self._known(key)

    def _known(self, key: str) -> Aged[Any] | None:
        with self.guard:
            local = self.local.get(key)
        if local and local.age < self.fresh_seconds:
            return local
        try:
            shared = self.shared.get(key)
        except RedisError:  # losing the cache costs time, nothing else
            shared = None
        if shared and (not local or shared.at > local.at):
            self._keep_here(key, shared)
            return shared
        return local

    def _keep_here(self, key: str, aged: Aged[Any]) -> None:
        with self.guard:
            self.local[key] = aged
            self.local.move_to_end(key)
            while len(self.local) > LOCAL_KEYS:
                dropped, _ = self.local.popitem(last=False)
                self.locks.pop(dropped, None)

    def _keep(self, key: str, aged: Aged[Any]) -> Aged[Any]:
        self._keep_here(key, aged)
        with suppress(RedisError):
            self.shared.set(key, aged, timeout=KEPT_SECONDS)
        return aged

    def _lock(self, key: str) -> threading.Lock:
        with self.guard:
            return self.locks.setdefault(key, threading.Lock())

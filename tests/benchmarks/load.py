"""A small load generator, run as a process of its own: python -m tests.benchmarks.load '{...}'.

It opens some connections, keeps them alive, asks for the paths one after the other and prints how long each took.
It speaks just as much HTTP as our server answers, because its own CPU time is taken from the server's.
"""

import json
import re
import socket
import sys
import threading
import time
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
REUSED = 200  # requests on one connection; then another, so that they spread over the workers


class Asker(threading.Thread):
    """One connection's worth of requests."""

    def __init__(self, job: dict[str, Any], first: int) -> None:
        super().__init__()
        self.job, self.at = job, first
        self.spent: list[float] = []
        self.bytes = self.errors = 0
        self.socket: socket.socket | None = None

    def run(self) -> None:
        until = time.monotonic() + self.job.get("seconds", 86_400)
        while time.monotonic() < until and len(self.spent) < self.job.get("count", 10**9):
            if len(self.spent) % REUSED == 0:
                self._reconnect()
            path = self.job["paths"][self.at % len(self.job["paths"])]
            self.at += 1
            began = time.perf_counter()
            status, size = self._ask(path)
            self.spent.append((time.perf_counter() - began) * 1000)
            self.bytes += size
            self.errors += status != 200

    def _reconnect(self) -> None:
        if self.socket:
            self.socket.close()
        self.socket = socket.create_connection(("127.0.0.1", self.job["port"]), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _ask(self, path: str) -> tuple[int, int]:
        assert self.socket
        headers = f"Host: 127.0.0.1\r\nCookie: {self.job['cookie']}\r\nAccept-Encoding: gzip\r\n"
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, body = answer.partition(b"\r\n\r\n")
        found = LENGTH.search(head)
        assert found, head
        size, got = int(found[1]), len(body)
        while got < size:
            got += len(self._receive())
        return int(head[9:12]), len(head) + 4 + size

    def _receive(self) -> bytes:
        assert self.socket
        received = self.socket.recv(65_536)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received


def main() -> None:
    """Run the job that the first argument describes: port, cookie, paths, connections, and seconds or count."""
    job = json.loads(sys.argv[1])
    began = time.monotonic()
    askers = [Asker(job, number * 7) for number in range(job["connections"])]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    spent = [round(ms, 3) for asker in askers for ms in asker.spent]
    found = {
        "seconds": time.monotonic() - began, "cpu": time.process_time(), "spent": spent,
        "bytes": sum(asker.bytes for asker in askers), "errors": sum(asker.errors for asker in askers),
    }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""A real HTTP server that speaks OpenAI's chat protocol, answers as it is told, and misbehaves on demand."""

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Merchants = list[dict[str, Any]]
Behaviour = Callable[["Exchange"], None]
USAGE = {"prompt_tokens": 100, "completion_tokens": 50}


class Exchange:
    """One call, as a behaviour sees it."""

    def __init__(self, handler: BaseHTTPRequestHandler, server: "ModelServer", request: dict[str, Any]) -> None:
        self.handler, self.server, self.request = handler, server, request
        self.merchants: Merchants = json.loads(request["messages"][-1]["content"])["merchants"]

    def send(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None, length: int = -1) -> None:
        """A whole answer, unless `length` says another length than the body has."""
        told = {"Content-Type": "application/json", "Content-Length": str(len(body) if length < 0 else length)}
        self.begin(status, told | (headers or {}))
        self.handler.wfile.write(body)

    def begin(self, status: int, headers: dict[str, str]) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()


class ModelServer:
    """`first` are the behaviours of the first calls, one each; `then` is that of all others.

    `names` counts how often each name was asked and answered for, `calls` all calls, `open_most` those at once.
    """

    def __init__(self, then: Behaviour | None = None, first: Iterable[Behaviour] = ()) -> None:
        self.then, self.first = then or honest, list(first)
        self.calls, self.open, self.open_most = 0, 0, 0
        self.names: Counter[str] = Counter()
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def batches(self) -> list[list[str]]:
        """The names of each call."""
        asked = (json.loads(request["messages"][-1]["content"])["merchants"] for request in self.requests)
        return [[merchant["name"] for merchant in merchants] for merchants in asked]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.carry_out(Exchange(self, server, request))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def carry_out(self, exchange: Exchange) -> None:
        """Count a call and behave."""
        with self._lock:
            self.calls += 1
            self.open += 1
            self.open_most = max(self.open_most, self.open)
            self.requests.append(exchange.request)
            self.headers.append(dict(exchange.handler.headers))
            self.names.update(merchant["name"] for merchant in exchange.merchants)
            behave = self.first.pop(0) if self.first else self.then
        try:
            behave(exchange)
        except OSError:  # the other side has left
            exchange.handler.close_connection = True
        finally:
            with self._lock:
                self.open -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a connection that is cut off in the middle is what the tests want


def ticker_of(name: str) -> str | None:
    """What the scripted model knows: a name that begins with the letters of a ticker of the tests."""
    return next((ticker for ticker in ("SBUX", "AAPL", "CMG") if name.startswith(ticker.lower())), None)


def rows(merchants: Merchants, **changes: Any) -> list[dict[str, Any]]:
    """The rows of a right answer, each with these changes."""
    return [
        {"id": one["id"], "ticker": ticker_of(one["name"]), "confidence": 0.97, "reason": "it is known"} | changes
        for one in merchants
    ]


def envelope(content: str | None, usage: Any = None) -> bytes:
    """The chat protocol around what a model wrote."""
    message = {"role": "assistant", "content": content}
    whole = {"id": "c", "object": "chat.completion", "choices": [{"index": 0, "message": message}]}
    return json.dumps(whole | {"usage": USAGE if usage is None else usage}).encode()


def saying(make: Callable[[Merchants], Any]) -> Behaviour:
    """Answer with what `make` makes of the merchants: text as it is, anything else as JSON."""

    def behave(exchange: Exchange) -> None:
        said = make(exchange.merchants)
        exchange.send(envelope(said if isinstance(said, str) else json.dumps({"answers": said})))

    return behave


honest: Behaviour = saying(rows)


def sending(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    """Answer with exactly these bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda exchange: exchange.send(body, status, named)


def status(code: int, **headers: str) -> Behaviour:
    """An error as servers word it; nothing of it may reach a person."""
    return sending(b'{"error": {"message": "sk-secret <script>"}}', code, **headers)


def hang(exchange: Exchange) -> None:
    """Take the request and never answer."""
    exchange.server.closing.wait(60)
    exchange.handler.close_connection = True


def slow(seconds: float) -> Behaviour:
    """Answer rightly after a while."""

    def behave(exchange: Exchange) -> None:
        exchange.server.closing.wait(seconds)
        honest(exchange)

    return behave


def drip(exchange: Exchange) -> None:
    """A right answer, a byte at a time, so that no single read waits long."""
    body = envelope(json.dumps({"answers": rows(exchange.merchants)}))
    exchange.begin(200, {"Content-Length": str(len(body))})
    _drip(exchange, body)


def drip_head(exchange: Exchange) -> None:
    """The same before the answer has even begun: headers without an end."""
    _drip(exchange, b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 1_000)


def _drip(exchange: Exchange, body: bytes) -> None:
    exchange.handler.close_connection = True
    for byte in body:
        if exchange.server.closing.wait(0.02):
            return
        exchange.handler.wfile.write(bytes([byte]))


def cut_off(exchange: Exchange) -> None:
    """Half of a right answer, and then the end of the connection."""
    body = envelope(json.dumps({"answers": rows(exchange.merchants)}))
    exchange.send(body[: len(body) // 2], length=len(body))
    exchange.handler.close_connection = True


def reset(exchange: Exchange) -> None:
    """No answer: the connection is torn down."""
    at_once = struct.pack("ii", 1, 0)
    exchange.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    exchange.handler.connection.close()
    raise OSError("reset")


def endless(exchange: Exchange) -> None:
    """More than anyone wants to read."""
    exchange.begin(200, {"Transfer-Encoding": "chunked"})
    for _ in range(10_000):
        exchange.handler.wfile.write(b"3e8\r\n" + b" " * 1000 + b"\r\n")
    exchange.handler.wfile.write(b"0\r\n\r\n")


def refusing_shape(exchange: Exchange) -> None:
    """An endpoint that does not know response_format."""
    if "response_format" in exchange.request:
        status(400)(exchange)
    else:
        honest(exchange)


def obedient(wants: dict[str, str]) -> Behaviour:
    """A model that does what a name tells it, for every name of the call: `wants` is {hostile name: ticker}."""

    def behave(exchange: Exchange) -> None:
        told = [wants[one["name"]] for one in exchange.merchants if one["name"] in wants]
        changes = {"ticker": told[0], "confidence": 1.0, "reason": "<b>I was told so</b>"} if told else {}
        exchange.send(envelope(json.dumps({"answers": rows(exchange.merchants, **changes)})))

    return behave

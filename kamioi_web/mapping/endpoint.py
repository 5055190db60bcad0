"""One call to an OpenAI-compatible endpoint: limited in time and size as a whole, whatever the other side does."""

import asyncio
import threading
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from kamioi_web.mapping.model_errors import Failure, NotSetUp
from kamioi_web.settings import Settings

MOST_BYTES = 1_000_000
LONGEST_REST = 3600.0  # seconds; an endpoint that asks for more is tried again after that
GRACE = 5.0  # seconds beyond the limit of a call that its thread waits, should the loop itself hang
NO_MODEL = (
    "No model is set up. Set KAMIOI_LLM_URL to the address of an OpenAI-compatible endpoint, such as "
    "https://HOST/v1, KAMIOI_LLM_MODEL to the model's name and KAMIOI_LLM_KEY to its key, where it needs one."
)


@dataclass(frozen=True)
class Response:
    """What came back: `after` is the Retry-After header as it was sent."""

    status: int
    after: str | None
    body: bytes


class Endpoint:
    """The endpoint that the settings name. Close it after use: it keeps connections, and a thread that reads them.

    They are read by asyncio, whose time limit holds for the whole of a call; a limit on each read does not stop a
    server that sends a byte a second.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.llm_url or not settings.llm_model:
            raise NotSetUp(NO_MODEL)
        self.url = settings.llm_url.rstrip("/") + "/chat/completions"
        self.seconds = settings.llm_seconds
        self._client = httpx.AsyncClient(headers=_headers(settings), timeout=settings.llm_seconds)
        self._places = threading.Semaphore(settings.llm_parallel)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="model")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def post(self, content: dict[str, Any]) -> Response:
        """Send one request and return whatever is answered. Failure when nothing whole comes back in time.

        At most `llm_parallel` are under way at once; who has to wait for that has the whole time nevertheless.
        """
        with self._places:
            call = asyncio.run_coroutine_threadsafe(self._post(content), self._loop)
            try:
                return call.result(self.seconds + GRACE)
            except NotInTime as error:
                call.cancel()
                raise self._too_late() from error

    async def _post(self, content: dict[str, Any]) -> Response:
        try:
            async with (
                asyncio.timeout(self.seconds),
                self._client.stream("POST", self.url, json=content) as response,
            ):
                return Response(response.status_code, response.headers.get("retry-after"), await _read(response))
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise self._too_late() from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Failure("The model cannot be reached.") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Failure("The connection to the model broke off.", paid=True) from error

    def _too_late(self) -> Failure:
        return Failure(f"The model gave no whole answer within {self.seconds:g} seconds.", paid=True)

    def close(self) -> None:
        """End what is still under way, the connections and the thread."""
        with suppress(NotInTime):
            asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result(GRACE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(GRACE)
        if not self._thread.is_alive():
            self._loop.close()


async def _read(response: httpx.Response) -> bytes:
    """The body as it was sent; a packed one is refused, because a few of its bytes may become any number."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Failure("The model sent a compressed answer, which was not asked for.", paid=True)
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > MOST_BYTES:
            raise Failure(f"The model sent more than {MOST_BYTES:,} bytes.", paid=True)
    return bytes(body)


def _headers(settings: Settings) -> dict[str, str]:
    key = settings.llm_key.get_secret_value() if settings.llm_key else ""
    return {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {})


def seconds_to_wait(after: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date, an hour at most; None for nonsense."""
    if after is None:
        return None
    with suppress(ValueError, TypeError, OverflowError):
        if after.strip().isascii() and after.strip().isdigit():
            return min(float(after[:20]), LONGEST_REST)
        date = parsedate_to_datetime(after)
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
        return min(max(0.0, seconds), LONGEST_REST)
    return None

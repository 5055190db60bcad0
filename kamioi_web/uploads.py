"""A file that a form brings: written to the disk as it comes, never whole in memory, and removed unless kept."""

import contextlib
import hashlib
import io
import os
import secrets
from collections.abc import Callable
from functools import wraps
from pathlib import Path, PureWindowsPath
from typing import IO, Any, BinaryIO

from flask import Request as FlaskRequest
from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from kamioi_web.errors import BadRequest, KamioiError
from kamioi_web.jobs.failures import is_full
from kamioi_web.request_context import settings_of
from kamioi_web.security import check_token, no_form

FOLDER = "uploads"
MEGABYTE = 1_000_000
FORM_BYTES = 100_000  # what a form may hold besides its file
LONGEST_NAME = 200
CUT_OFF = "The upload ended early, so nothing was kept. Send it again."
FULL = "The disk of the server is full, so nothing was kept. Free some space and send the file again."


class TooLarge(KamioiError):
    """The file is above the limit."""

    status = 413


class NoRoom(KamioiError):
    """The disk is full."""

    status = 507


class Request(FlaskRequest):
    """A request whose view may say where a file goes that its form brings."""

    incoming: "Incoming | None" = None

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if self.incoming is None:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        return self.incoming.begin(filename)  # ty: ignore[invalid-explicit-return] - what the parser needs of one

    def make_form_data_parser(self) -> FormDataParser:
        parser = super().make_form_data_parser()
        parser.silent = self.incoming is None  # a form that is cut off is told from one without fields
        return parser


class Incoming:
    """The one file of a form, as it is written; what werkzeug's parser needs of a stream, and its size and digest."""

    def __init__(self, root: Path, megabytes: int) -> None:
        self.root, self.megabytes = root, megabytes
        self.name, self.place, self.bytes = "", "", 0
        self.digest = hashlib.sha256()
        self.kept = False
        self._file: BinaryIO | None = None

    def begin(self, name: str | None) -> "Incoming":
        """The form's file begins here."""
        if self._file:
            raise BadRequest("Send one file at a time.", "file")
        (self.root / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name, self.place = clean_name(name or ""), f"{FOLDER}/{secrets.token_hex(16)}"
        opened = os.open(self.root / self.place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(opened, "wb", buffering=MEGABYTE)
        return self

    def write(self, data: bytes) -> int:
        """Take the next part of it."""
        assert self._file
        self.bytes += len(data)
        if self.bytes > self.megabytes * MEGABYTE:
            raise RequestEntityTooLarge
        self.digest.update(data)
        return self._file.write(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Where it ends; nobody reads it through this."""
        return self.bytes if whence == io.SEEK_END else offset

    def tell(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing: `finish` and `leave` do so."""

    def finish(self) -> None:
        """All of it has come: make it survive a power cut."""
        if self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def leave(self) -> None:
        """Remove the file unless it is kept."""
        if self._file and not self.kept:
            with contextlib.suppress(OSError):  # closing a file on a full disk fails once more
                self._file.close()
            (self.root / self.place).unlink(missing_ok=True)


def takes_file(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let a view of a POST take one file, `request.incoming`; it is removed unless the view sets `kept` and succeeds.

    The form is read here, after the guards around: who may not send it does not fill the disk.
    """

    @no_form  # its token is checked below
    @wraps(view)
    def received(**arguments: Any) -> Any:
        settings = settings_of()
        request.incoming = incoming = Incoming(settings.files_folder, settings.upload_mb)  # ty: ignore[missing-attribute]
        try:
            _read_form(incoming)
            check_token()
            return view(**arguments)
        except BaseException:
            incoming.kept = False
            raise
        finally:
            incoming.leave()

    return received


def clean_name(name: str) -> str:
    """The file's own name, without folders and without what cannot be seen."""
    plain = "".join(letter for letter in PureWindowsPath(name).name if letter.isprintable())
    return plain.strip()[-LONGEST_NAME:]


def _read_form(incoming: Incoming) -> None:
    if request.mimetype == "multipart/form-data":  # any other kind is read whole, so the usual limit stays for it
        request.max_content_length = incoming.megabytes * MEGABYTE + FORM_BYTES
        request.max_form_memory_size, request.max_form_parts = FORM_BYTES, 50
    try:
        request.form  # noqa: B018 - reading it parses it
        incoming.finish()
    except RequestEntityTooLarge as error:
        raise TooLarge(_too_large(incoming.megabytes)) from error
    except (ClientDisconnected, ValueError) as error:
        raise BadRequest(CUT_OFF, "file") from error
    except OSError as error:
        raise NoRoom(FULL) if is_full(error) else error from error


def _too_large(megabytes: int) -> str:
    return (
        f"The file is larger than {megabytes:,} MB, the most that may be uploaded here (KAMIOI_UPLOAD_MB), so nothing "
        "was kept. Pack it with gzip, split it, or import it on the server with kamioi-web import."
    )

"""A file as lines of text, block by block: plain or gzip, any encoding, memory flat however long a line is."""

import codecs
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kamioi_web.errors import KamioiError

CHUNK_BYTES = 1 << 18
LOOK_LINES = 4_000  # of a file that is only looked at
LINE_LIMIT = 1 << 20  # characters; a longer line is cut and rejected
GZIP = b"\x1f\x8b"
SURROGATES = re.compile("[\udc80-\udcff]")
NOT_TEXT = {b"PK\x03\x04": "a zip archive or a spreadsheet", b"\xd0\xcf\x11\xe0": "a spreadsheet"}


@dataclass(frozen=True)
class Part:
    """Some whole lines with their line ends. `final`: the file ended inside the last one."""

    lines: list[str]
    too_long: bool = False
    final: bool = False
    damaged: bool = False


class Source:
    """One file that is read from its start to its end, once; with `most`, so many bytes of it and LOOK_LINES only."""

    def __init__(self, path: Path, encoding: str, most: int | None = None) -> None:
        self.path = path
        self.encoding = encoding
        self.most = most
        self.cut = False  # whether there was more of it
        self.bytes_read = 0
        self.rescued = 0  # bytes that did not decode
        self.damage: str | None = None

    def parts(self) -> Iterator[Part]:
        """The lines of the file; one longer than LINE_LIMIT comes cut, alone and marked."""
        rest, skipping = "", False
        left = LOOK_LINES if self.most is not None else None
        for text in self._texts():
            if skipping:
                found = re.search("\r\n|[\r\n]", text)
                if not found:
                    continue
                rest, skipping = text[found.end() :], False
                text = ""  # noqa: PLW2901
            lines = io.StringIO(rest + text, newline="").readlines()
            # A line that ends in CR waits: the LF may come with the next text.
            rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
            if left is not None and len(lines) > left:
                self.cut = True
                yield Part(lines[:left])
                return
            if lines:
                left = left and left - len(lines)
                yield Part(lines)
            if len(rest) > LINE_LIMIT:
                yield Part([rest[:LINE_LIMIT]], too_long=True)
                rest, skipping = "", True
        if self.cut:  # what is left is not a whole line
            return
        if rest.endswith("\r"):
            yield Part([rest])
        elif rest:
            yield Part([rest], final=True, damaged=self.damage is not None)

    def _texts(self) -> Iterator[str]:
        decoder, taken = codecs.getincrementaldecoder(self.encoding)(), 0
        for data in self._chunks():
            if self.most is not None and taken >= self.most:
                self.cut = True
                return
            taken += len(data)
            yield self._decode(decoder, data, final=False)
        tail = self._decode(decoder, b"", final=True)
        if tail:
            yield tail

    def _decode(self, decoder: codecs.IncrementalDecoder, data: bytes, final: bool) -> str:
        state = decoder.getstate()
        try:
            return decoder.decode(data, final)
        except UnicodeDecodeError:
            decoder.setstate(state)
        wide = "16" in self.encoding or "32" in self.encoding
        decoder.errors = "replace" if wide else "surrogateescape"
        text = decoder.decode(data, final)
        decoder.errors = "strict"
        if wide:
            self.rescued += text.count("\ufffd")
            return text
        text, count = SURROGATES.subn(_western, text)
        self.rescued += count
        return text

    def _chunks(self) -> Iterator[bytes]:
        with open_file(self.path) as file:
            start = file.read(len(GZIP))
            file.seek(0)
            yield from self._unpacked(file) if start == GZIP else self._plain(file)

    def _plain(self, file: io.BufferedReader) -> Iterator[bytes]:
        while data := file.read(CHUNK_BYTES):
            self.bytes_read += len(data)
            yield data

    def _unpacked(self, file: io.BufferedReader) -> Iterator[bytes]:
        unpacker, data = zlib.decompressobj(31), b""
        while data or (data := file.read(CHUNK_BYTES)):
            if unpacker.eof:  # a file may be several gzip members in a row, or padded with zeros
                data = data.lstrip(b"\0")
                unpacker = zlib.decompressobj(31)
                continue
            try:
                text = unpacker.decompress(data, CHUNK_BYTES)
            except zlib.error:
                self.damage = "The gzip data is damaged; rows up to the damage were read."
                return
            self.bytes_read = file.tell()
            data = unpacker.unconsumed_tail or unpacker.unused_data
            if text:
                yield text
        if not unpacker.eof:
            self.damage = "The gzip data ends early; rows up to there were read."


def open_file(path: Path) -> io.BufferedReader:
    """The file, opened for reading bytes. KamioiError when it cannot be or is clearly not text."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise KamioiError(f"{path} cannot be read: {error.strerror}.") from error
    kind = NOT_TEXT.get(file.read(4))
    file.seek(0)
    if kind:
        file.close()
        raise KamioiError(f"{path} is {kind}; save or unpack it as CSV first.")
    return file


def first_bytes(path: Path, count: int) -> bytes:
    """The first so many bytes of the file, unpacked."""
    data = b""
    for chunk in Source(path, "latin-1")._chunks():
        data += chunk
        if len(data) >= count:
            break
    return data[:count]


def _western(found: re.Match[str]) -> str:
    byte = bytes([ord(found[0]) - 0xDC00])
    return byte.decode("cp1252", "ignore") or byte.decode("latin-1")

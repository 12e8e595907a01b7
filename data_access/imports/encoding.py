"""Whether a text file is UTF-8, and if not what it is likely to be and where it stops being readable."""

from __future__ import annotations

import codecs
from pathlib import Path

from metrics.errors import LoadRefused

_BLOCK = 1 << 20
_MAGIC = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV in UTF-8",
    b"\x1f\x8b": "compressed with gzip; unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV in UTF-8",
    b"PAR1": "a Parquet file; name it .parquet or give --format parquet",
}


def check_utf8(path: Path) -> None:
    """Raise LoadRefused, naming the line and the likely encoding, unless ``path`` is UTF-8 text without NUL bytes.

    A byte order mark of UTF-8 is fine.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = line = 0  # bytes before this block, line breaks before it
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if not head:
            raise LoadRefused(f"{path.name} is empty (0 bytes); export it again.")
        for magic, what in _MAGIC.items():
            if head.startswith(magic):
                raise LoadRefused(f"{path.name} is {what}.")
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise LoadRefused(f"{path.name} is UTF-16 (byte order mark at byte 0, line 1); save it as UTF-8.")
        while block := file.read(_BLOCK):
            if (at := block.find(b"\0")) >= 0:
                where = line + block[:at].count(b"\n") + 1
                if head[1:2] == b"\0" or head[:1] == b"\0":
                    raise LoadRefused(f"{path.name} looks like UTF-16 (NUL at byte {done + at}); save it as UTF-8.")
                raise LoadRefused(
                    f"{path.name}, line {where}: there is a NUL byte at byte {done + at}, so the file is damaged or "
                    "not text; export it again."
                )
            pending = decoder.getstate()[0]
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                raise LoadRefused(_complaint(path, pending + block, error, done - len(pending), line)) from None
            done += len(block)
            line += block.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise LoadRefused(
            f"{path.name}, line {line + 1}: the file ends in the middle of a character; it is cut off, export it again."
        ) from None


def _complaint(path: Path, data: bytes, error: UnicodeDecodeError, offset: int, line: int) -> str:
    where = line + data[: error.start].count(b"\n") + 1
    start = data.rfind(b"\n", 0, error.start) + 1
    end = data.find(b"\n", error.start)
    guess = _guess(data[start : end if end >= 0 else len(data)])
    return (
        f"{path.name}, line {where}: byte 0x{data[error.start]:02X} (byte {offset + error.start} of the file) is not "
        f"UTF-8, the file may be {guess}; save it as UTF-8."
    )


def _guess(line: bytes) -> str:
    """The likely encoding of a line that is not UTF-8: Japanese letters betray Shift-JIS."""
    try:
        text = line.decode("shift_jis")
    except UnicodeDecodeError:
        return "Latin-1 or Windows-1252"
    japanese = sum("\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff" for c in text)
    return "Shift-JIS" if japanese >= 2 else "Latin-1 or Windows-1252"

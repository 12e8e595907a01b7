import pytest

from data_access.imports.encoding import check_utf8
from metrics.errors import LoadRefused

TEXT = "item,who\n1,ann\n2,Zo\u00eb\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            TEXT.encode("latin-1"),
            r"line 3: byte 0xEB \(byte 19 of the file\).*Latin-1 or Windows-1252; save it as UTF-8",
        ),
        (TEXT.encode("utf-16"), r"is UTF-16 \(byte order mark at byte 0, line 1\); save it as UTF-8"),
        (TEXT.encode("utf-16-le"), r"looks like UTF-16 \(NUL at byte 1\)"),
        (
            "item,who\n1,\u8a55\u4fa1\u8005\u30c6\u30b9\u30c8\n".encode("shift_jis"),
            r"line 2: byte 0x.*Shift-JIS; save it as UTF-8",
        ),
        (b"item,who\n1,a\0b\n", r"line 2: there is a NUL byte at byte 12"),
        (TEXT.encode()[:-2], r"line 3: the file ends in the middle of a character"),
        (b"PK\x03\x04rest", r"a zip archive or an Excel workbook"),
        (b"\x1f\x8b\x08rest", r"compressed with gzip"),
        (b"\xd0\xcf\x11\xe0rest", r"an old Excel workbook"),
        (b"PAR1rest", r"a Parquet file"),
        (b"", r"is empty"),
        (b"x\n" * 600_000 + b"\xff\n", r"line 600001: byte 0xFF \(byte 1200000 of the file\)"),
    ],
)
def test_what_is_not_utf8_is_refused_with_place_and_remedy(write, content, message):
    with pytest.raises(LoadRefused, match=message):
        check_utf8(write("a.csv", content))


def test_utf8_passes_also_across_the_blocks_it_is_read_in(write):
    check_utf8(write("a.csv", b"x" * ((1 << 20) - 1) + "\u00e9\u8a55\n".encode()))
    check_utf8(write("b.csv", "\ufeffitem\n"))

"""Looks into one uploaded file, in a process of its own with little memory and time.

Started as a program by `checks.py`: the upload comes on standard input; a line of JSON and the
bytes to keep go to standard output. A file made to break its reader breaks this process alone.
"""

import io
import json
import resource
import sys
import unicodedata
import zipfile
from collections.abc import Callable

import filetype
import pikepdf
from PIL import Image, ImageOps
from python_calamine import CalamineError, CalamineWorkbook

MEMORY = 256 * 1024 * 1024
CPU_SECONDS = 5
MOST_PIXELS = 40_000_000
MOST_PIXELS_WEBP = 8_000_000  # its library unpacks several copies
STRIP_PIXELS = 1_000_000
LONGEST_EDGE = 2_400
MOST_PAGES = 500
MOST_ENTRIES = 2_000
MOST_UNPACKED = 20 * 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
Kept = tuple[str, bytes, dict[str, int]]


class Unfit(Exception):  # noqa: N818
    """The file is not kept; the message is a code that `checks.py` has a sentence for."""


def picture(content: bytes, media_type: str) -> Kept:
    """Draw the picture anew, without what is written beside it, its long edge at most 2,400 px."""
    try:
        with Image.open(io.BytesIO(content), formats=(PICTURES[media_type],)) as found:
            most = MOST_PIXELS_WEBP if found.format == "WEBP" else MOST_PIXELS
            if found.width * found.height > most:
                raise Unfit("too_many_pixels")
            # JPEG unpacks at a fraction of its size where that is enough.
            found.draft(None, (LONGEST_EDGE, LONGEST_EDGE))
            found.seek(0)
            orientation = found.getexif().get(0x0112, 1)
            drawn = _drawn_anew(found)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unfit("too_many_pixels") from error
    if orientation != 1:
        drawn.getexif()[0x0112] = orientation
        drawn = ImageOps.exif_transpose(drawn)
        drawn.info.clear()
    out = io.BytesIO()
    if drawn.mode == "RGBA" or media_type in {"image/png", "image/gif"}:
        kept_as = "image/png"
        drawn.save(out, "PNG", compress_level=5)
    else:
        kept_as = "image/jpeg"
        drawn.save(out, "JPEG", quality=85, progressive=True)
    return kept_as, out.getvalue(), {"width": drawn.width, "height": drawn.height}


def _drawn_anew(found: Image.Image) -> Image.Image:
    """Return the pixels alone, reduced strip by strip: a whole second copy would take too much."""
    found.load()
    mode = "RGBA" if "A" in found.getbands() or "transparency" in found.info else "RGB"
    factor = max(1, max(found.size) // LONGEST_EDGE)
    width, height = -(-found.width // factor), -(-found.height // factor)
    drawn = Image.new(mode, (width, height))
    strip = factor * max(1, STRIP_PIXELS // (found.width * factor))
    for top in range(0, found.height, strip):
        part: Image.Image = found.crop((0, top, found.width, min(top + strip, found.height)))
        part.info = dict(found.info)
        if part.mode.startswith("I"):
            part = part.convert("F").point(lambda level: level / 257).convert("L")
        drawn.paste(part.convert(mode).reduce(factor), (0, top // factor))
    drawn.thumbnail((LONGEST_EDGE, LONGEST_EDGE), Image.Resampling.LANCZOS)
    drawn.info.clear()
    return drawn


def pdf(content: bytes, media_type: str) -> Kept:
    """Read the PDF's pages; it is kept as it is."""
    try:
        with pikepdf.open(io.BytesIO(content)) as document:
            pages = len(document.pages)
    except pikepdf.PasswordError as error:
        raise Unfit("locked") from error
    if not 1 <= pages <= MOST_PAGES:
        raise Unfit("too_many_pages")
    return media_type, content, {"pages": pages}


def xlsx(content: bytes, media_type: str) -> Kept:
    """Measure what the workbook unpacks to before reading its sheets; it is kept as it is."""
    unpacked = 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if len(entries) > MOST_ENTRIES or sum(e.file_size for e in entries) > MOST_UNPACKED:
            raise Unfit("unpacks_too_large")
        for entry in entries:
            parts = entry.filename.replace("\\", "/").split("/")
            if entry.flag_bits & 1 or ".." in parts or entry.filename.startswith(("/", "\\")):
                raise Unfit("unreadable")
            if entry.filename.lower().endswith(("vbaproject.bin", ".zip", ".exe")):
                raise Unfit("macros")
            # What the archive says of itself may be a lie: count.
            with archive.open(entry) as part:
                while chunk := part.read(1 << 16):
                    unpacked += len(chunk)
                    if unpacked > MOST_UNPACKED:
                        raise Unfit("unpacks_too_large")
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return media_type, content, {"sheets": len(book.sheet_names)}


def csv(content: bytes, media_type: str) -> Kept:
    """See that it is text and not markup; its encoding is the importer's business."""
    start = content[:4096]
    if b"\x00" in content and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unfit("unreadable")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise Unfit("other_kind")
    return media_type, content, {}


INSPECTORS: dict[str, Callable[[bytes, str], Kept]] = {
    **dict.fromkeys(PICTURES, picture),
    "application/pdf": pdf,
    XLSX: xlsx,
    "text/csv": csv,
}


def media_type_of(content: bytes) -> str:
    """Return what the content is, by its own marks; text without any may be CSV."""
    found = filetype.guess_mime(content)
    if found == "application/zip" and b"xl/workbook.xml" in content:
        return XLSX
    if found:
        return str(found)
    sample = content[:4096].decode("latin-1")
    return (
        "" if any(unicodedata.category(c) == "Cc" and c < "\t" for c in sample[2:]) else "text/csv"
    )


def inspect(content: bytes, wanted: set[str]) -> Kept:
    """Return media type, bytes to keep and what was measured; refuses (Unfit) the rest."""
    media_type = media_type_of(content)
    if media_type not in INSPECTORS or media_type not in wanted:
        raise Unfit("other_kind")
    try:
        return INSPECTORS[media_type](content, media_type)
    except Unfit:
        raise
    except (MemoryError, RecursionError) as error:
        raise Unfit("too_heavy") from error
    except (
        OSError,
        ValueError,
        SyntaxError,
        KeyError,
        NotImplementedError,
        EOFError,
        zipfile.BadZipFile,
        pikepdf.PdfError,
        CalamineError,
    ) as error:
        raise Unfit("unreadable") from error


def main(wanted: set[str]) -> None:
    """Inspect standard input; write the answer."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: dict[str, object]
    try:
        content = sys.stdin.buffer.read()
        media_type, kept, measured = inspect(content, wanted)
        answer = {"given": media_type_of(content), "media_type": media_type, **measured}
    except Unfit as reason:
        answer, kept = {"unfit": str(reason)}, b""
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + kept)


if __name__ == "__main__":
    main(set(sys.argv[1].split(",")))

"""Writes a run down, for programs (JSON) and for people (one HTML page). Renders, never decides."""

from pathlib import Path

import msgspec

from equiv.groups import Atlas
from equiv.lookup import Unknown
from equiv.result import Run, decode, encode


def write(run: Run, out: Path) -> tuple[Path, Path]:
    """Write ``report.json`` and ``report.html`` into the directory ``out``, which is made if need be.

    The page is drawn from the JSON alone, and from an ``atlas.json`` beside it, so that what it shows can be
    checked there.

    Raises:
        NotADirectoryError: ``out`` is a file.
    """
    from equiv.report.page import page

    if out.exists() and not out.is_dir():
        raise NotADirectoryError(
            f"a report needs a directory to be written to, got the file {out}; name another"
        )
    out.mkdir(parents=True, exist_ok=True)
    data = encode(run)
    json_path, html_path = out / "report.json", out / "report.html"
    json_path.write_bytes(data)
    beside = {path.name for path in (out / "kernel").glob("*.v")}
    html_path.write_text(page(decode(data), beside, _atlas(out / "atlas.json")), encoding="utf-8")
    return json_path, html_path


def _atlas(path: Path) -> Atlas | None:
    """The map that is there."""
    try:
        found: Atlas = decode(path.read_bytes(), Atlas)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise Unknown(f"{path} is no atlas ({error}); make it again with equiv atlas, or move it") from None
    return found

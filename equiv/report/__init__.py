"""Writes a run down, for programs (JSON) and for people (one HTML page). Renders, never decides."""

from pathlib import Path

from equiv.result import Run, decode, encode


def write(run: Run, out: Path) -> tuple[Path, Path]:
    """Write ``report.json`` and ``report.html`` into the directory ``out``, which is made if need be.

    The page is drawn from the JSON alone, so that what it shows can be checked there.

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
    html_path.write_text(page(decode(data), beside), encoding="utf-8")
    return json_path, html_path

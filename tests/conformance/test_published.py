"""What is published of a library is what the library does: every snippet is run again, without the suite."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "reports" / "published").glob("*-*.md"))
SHOWN = re.compile(
    r"^## (\d+\. .*?)$.*?^```python\n(.*?)\n```\n\n```text\n(.*?)\n```$", re.MULTILINE | re.DOTALL
)
RUN = """
import contextlib, io, json, logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable()
def printed(code):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    return out.getvalue().strip()
print(json.dumps([printed(code) for code in json.load(sys.stdin)]))
"""


def named(page: Path) -> tuple[str, str]:
    """The library and the version that a page is about."""
    library, version = page.stem.rsplit("-", 1)
    return library, version


def test_every_finding_has_a_snippet_and_what_it_prints() -> None:
    assert PAGES
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(SHOWN.findall(text)) == text.count("\n## ") > 0, page


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_the_library_alone_prints_what_is_published(page: Path) -> None:
    library, version = named(page)
    if metadata.version(library) != version:
        pytest.skip(f"the page is about {library} {version}")
    found = SHOWN.findall(page.read_text(encoding="utf-8"))
    codes = [code for _, code, _ in found]
    assert not any("equiv" in code for code in codes)
    # one process a page: the imports take longer than the snippets
    ran = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(codes), capture_output=True, text=True, check=True
    )
    for (title, _, published), printed in zip(found, json.loads(ran.stdout), strict=True):
        assert printed == published, title

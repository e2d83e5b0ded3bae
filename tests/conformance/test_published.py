"""What is published of a library is what the library does: every snippet is run again, without the suite."""

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
QUIET = "import warnings, logging\nwarnings.simplefilter('ignore')\nlogging.disable()\n"


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
    for title, code, printed in SHOWN.findall(page.read_text(encoding="utf-8")):
        assert "equiv" not in code
        alone = [sys.executable, "-c", QUIET + code]
        ran = subprocess.run(alone, check=False, capture_output=True, text=True)
        assert (ran.stdout.strip(), ran.returncode) == (printed, 0), (title, ran.stderr[-500:])

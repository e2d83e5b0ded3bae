"""LaTeX to MathML that browsers draw without a font or a script."""

import functools
import html
from xml.etree.ElementTree import tostring

from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape

_UNWANTED = ("class", "href", "id", "style")  # the page's policy forbids them, a formula needs none


@functools.lru_cache(maxsize=4096)
def mathml(latex: str) -> Markup:
    r"""The formula in display style, for a line of text or a line of its own.

    What cannot be read is shown as it is written, in ``<code class="latex">``. The library's own
    ``convert`` is not used: it turns ``\text{<b>}`` into a tag, and an unknown command into a letter.
    """
    try:
        root = convert_to_element(latex)
    except Exception:  # noqa: BLE001 - it raises a dozen unrelated classes, IndexError among them
        return _as_written(latex)
    for element in root.iter():
        element.text = html.unescape(element.text or "")
        if "\\" in element.text:
            return _as_written(latex)
        for name in _UNWANTED:
            element.attrib.pop(name, None)
    root.attrib.pop("display")
    root.set("displaystyle", "true")
    return Markup(tostring(root, encoding="unicode", short_empty_elements=False))


def _as_written(latex: str) -> Markup:
    return Markup('<code class="latex">{}</code>').format(escape(latex))

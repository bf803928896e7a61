"""A described page as one HTML document: a pure function, the same page gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib import resources
from itertools import count

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from detente.describe.blocks import Block, Page, Section
from detente.describe.charts import Chart
from detente.pictures.draw import to_svg
from detente.text import shown

TEMPLATES = ("blocks.html", "page.html", "sections.html", "style.css")
"""What this package has."""


def to_html(page: Page) -> str:
    """A page as HTML, with its style sheet, charts and tables in it; every text is escaped.

    It loads nothing: no scripts, no fonts, no pictures from elsewhere. The only links that lead
    out of it are the addresses of evidence.
    """
    template = environment().get_template("page.html")
    return template.render(page=page, style=style_sheet()).lstrip()


def to_fragment(sections: Iterable[Section], *, charts: str = "c") -> str:
    """Sections as HTML, to stand in a page that has the same style sheet.

    Names within drawings begin with `charts`, which differs from that of other fragments there.
    """
    template = environment(charts=charts).get_template("sections.html")
    return template.render(sections=tuple(sections)).lstrip()


def style_sheet() -> str:
    """The style sheet of pages."""
    return _template("style.css")


def environment(read: Callable[[str], str] | None = None, *, charts: str = "c") -> Environment:
    """Templates in which every text is escaped, with the macros and filters of described blocks.

    `read` gives the text of a template by its name, of those that are not this package's.
    """
    numbers = count()

    def drawn(chart: Chart) -> Markup:
        return Markup(to_svg(chart, f"{charts}{next(numbers)}"))

    def source(name: str) -> str:
        return _template(name) if read is None or name in TEMPLATES else read(name)

    made = Environment(
        loader=FunctionLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_unbroken,
    )
    made.filters |= {"kind": _kind, "drawn": drawn, "prose": _prose, "typed": _typed}
    return made


def _kind(block: Block) -> str:
    return type(block).__name__


def _typed(text: str) -> Markup:
    """What is to be copied as it stands."""
    return escape(shown(text))


def _prose(text: str) -> Markup:
    """A sentence in which commands stand between backticks."""
    escaped = str(escape(_unbroken(text)))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))


def _unbroken(value: object) -> object:
    """A number and its sign of per cent stay on one line, and nothing hidden in a text acts."""
    if isinstance(value, Markup):  # of which the texts have been here before, or are typed
        return Markup(shown(value))
    return shown(value.replace(" %", "\N{NO-BREAK SPACE}%")) if isinstance(value, str) else value


def _template(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")

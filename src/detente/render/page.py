"""A described page as one HTML document: a pure function, the same page gives the same bytes."""

from __future__ import annotations

import re
from importlib import resources
from itertools import count

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from detente.describe.blocks import Block, Page
from detente.describe.charts import Chart
from detente.pictures.draw import to_svg
from detente.text import shown


def to_html(page: Page) -> str:
    """A page as HTML, with its style sheet, charts and tables in it; every text is escaped.

    It loads nothing: no scripts, no fonts, no pictures from elsewhere. The only links that lead
    out of it are the addresses of evidence.
    """
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_unbroken,
    )
    numbers = count()

    def drawn(chart: Chart) -> Markup:
        return Markup(to_svg(chart, f"c{next(numbers)}"))

    environment.filters |= {"kind": _kind, "drawn": drawn, "prose": _prose, "typed": _typed}
    template = environment.get_template("page.html")
    return template.render(page=page, style=_template("style.css")).lstrip()


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

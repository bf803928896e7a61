"""What brings packages that only some commands need: a line that works where this copy is from.

No project is installed by the bare name `detente`: on a public index it could be anybody's.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

PACKAGE = Path(__file__).resolve().parent


def how_to_install(extra: str, missing: Iterable[str]) -> str:
    """The line that installs the project's `extra`, or else the packages that are missing."""
    return line(extra, missing, PACKAGE, _recorded())


def line(extra: str, missing: Iterable[str], package: Path, direct_url: str | None) -> str:
    """The same for a package that lies there and was installed from there (PEP 610)."""
    if (package.parents[1] / "scripts" / "env.py").is_file():
        return f"python3 scripts/env.py --with {extra}"
    source = _source(direct_url) if direct_url else ""
    if source:
        return f"python3 -m pip install {shlex.quote(f'detente[{extra}] @ {source}')}"
    return shlex.join(["python3", "-m", "pip", "install", *missing])


def _recorded() -> str | None:
    """The text of `direct_url.json`, where there is one."""
    try:
        return distribution("detente").read_text("direct_url.json")
    except PackageNotFoundError:
        return None


def _source(direct_url: str) -> str:
    """Where pip finds it again; '' for a file or a folder that is no more."""
    told = json.loads(direct_url)
    url, vcs = told["url"], told.get("vcs_info")
    parts = urlsplit(url)
    if vcs:
        revision = vcs.get("requested_revision") or vcs["commit_id"]
        url = f"{vcs['vcs']}+{url}@{revision}"
    elif parts.scheme == "file" and not Path(url2pathname(parts.path)).exists():
        return ""
    subdirectory = told.get("subdirectory")
    return f"{url}#subdirectory={subdirectory}" if subdirectory else url

"""How to get what is missing: from a checkout, from where a copy was installed, or by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from detente.cli.extras import how_to_install, line

NAMES = ["jinja2", "matplotlib"]
BY_NAME = "python3 -m pip install jinja2 matplotlib"


def test_a_checkout_has_a_script() -> None:
    """This is one: the tests lie beside it."""
    assert how_to_install("report", NAMES) == "python3 scripts/env.py --with report"


@pytest.mark.parametrize(
    ("direct_url", "source"),
    [
        ({"url": "https://example.org/copy", "archive_info": {}}, ""),
        (
            {
                "url": "https://example.org/detente.git",
                "vcs_info": {"vcs": "git", "commit_id": "abc", "requested_revision": "v1"},
            },
            "git+https://example.org/detente.git@v1",
        ),
        (
            {
                "url": "ssh://git@example.org/all",
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
                "subdirectory": "python",
            },
            "git+ssh://git@example.org/all@abc#subdirectory=python",
        ),
    ],
)
def test_an_installed_copy_knows_its_source(
    direct_url: dict[str, object], source: str, tmp_path: Path
) -> None:
    package = tmp_path / "site-packages" / "detente"
    told = line("report", NAMES, package, json.dumps(direct_url))
    assert told == f"python3 -m pip install 'detente[report] @ {source or direct_url['url']}'"


def test_a_copy_of_a_folder(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "detente"
    folder = tmp_path / "the source"
    direct_url = json.dumps({"url": folder.as_uri(), "dir_info": {}})
    assert line("report", NAMES, package, direct_url) == BY_NAME  # there is no such folder
    folder.mkdir()
    told = line("ensemble", NAMES, package, direct_url)
    assert told == f"python3 -m pip install 'detente[ensemble] @ {folder.as_uri()}'"


def test_a_copy_from_nowhere_names_the_packages(tmp_path: Path) -> None:
    assert line("report", NAMES, tmp_path / "lib" / "detente", None) == BY_NAME

"""`scripts/env.py` installs what a command needs, once, and notes it only when it is there.

Nothing is installed here: pip is stood in for.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]

PROJECT = """\
[build-system]
requires = ["hatchling"]
[project]
name = "thing"
version = "1"
dependencies = ["base>=1"]
[project.optional-dependencies]
report = ["paper>=1"]
cluster = ["thing[report]", "many>=1"]
[dependency-groups]
test = ["thing[cluster]", "trial>=1"]
lint = ["brush>=1"]
types = ["thing[report]", "kind>=1"]
oracles = ["seer>=1"]
browser = [{ include-group = "lint" }, "window>=1"]
"""


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, in a checkout of its own, with a note of what pip was asked for."""
    spec = importlib.util.spec_from_file_location("env", ROOT / "scripts" / "env.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    place = tmp_path / ".venv"
    binaries = place / module.BIN.name
    names = {"ROOT": tmp_path, "VENV": place, "BIN": binaries, "STAMPS": place / "installed"}
    for name, path in {**names, "PYTHON": binaries / module.PYTHON.name}.items():
        monkeypatch.setattr(module, name, path)
    module.asked = []
    module.code = 0
    monkeypatch.setattr(module.subprocess, "run", pip_of(module))
    monkeypatch.setattr(module, "pip", lambda: ["pip"])
    monkeypatch.delenv("CI", raising=False)
    return module


def pip_of(module: ModuleType) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        module.asked.append(command[command.index("--no-compile") + 1 :])
        return subprocess.CompletedProcess(command, module.code)

    return run


def change(env: ModuleType, old: str, new: str) -> None:
    file = env.ROOT / "pyproject.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def core(env: ModuleType) -> list[str]:
    return ["--editable", str(env.ROOT)]


def test_a_command_brings_what_it_needs(env: ModuleType) -> None:
    env.prepare(["detente", "run"])
    assert env.asked.pop() == core(env)
    env.prepare(["python", "-m", "benchmarks"])
    assert env.asked == []
    env.prepare(["ruff", "check"])
    assert env.asked.pop() == ["brush>=1"]
    env.prepare(["pytest"])
    assert env.asked.pop() == ["paper>=1", "many>=1", "trial>=1", "brush>=1"]
    env.prepare(["pytest", "-x"])
    assert env.asked == []


def test_the_first_word_alone_may_need_no_core(env: ModuleType) -> None:
    env.prepare(["ruff"])
    assert env.asked == [["brush>=1"]]


def test_nothing_may_be_missing_in_ci_and_in_full_runs(
    env: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert env.sets(["pytest"], []) == ("core", "test")
    full = ("core", "test", "oracles", "browser")
    assert env.sets(["pytest", "--full"], []) == full
    monkeypatch.setenv("CI", "true")
    assert env.sets(["pytest"], []) == full
    assert env.sets(["detente"], []) == ("core",)


def test_extras_and_groups_are_asked_for_by_name(env: ModuleType) -> None:
    env.prepare([], ["report"])
    assert env.asked.pop() == [*core(env), "paper>=1"]
    with pytest.raises(SystemExit, match=r"nothing is called paper; --with takes: browser, cl"):
        env.prepare([], ["paper"])


def test_only_what_has_changed_is_installed_again(env: ModuleType) -> None:
    env.prepare(["detente"], ["report"])
    env.asked.clear()
    change(env, "trial>=1", "trial>=2")
    change(env, "[dependency-groups]", "[tool.other]\nlines = 1\n[dependency-groups]")
    env.prepare(["detente"], ["report"])
    assert env.asked == []
    change(env, "paper>=1", "paper>=2")
    env.prepare(["detente"], ["report"])
    assert env.asked.pop() == ["paper>=2"]
    change(env, "base>=1", "base>=2")
    env.prepare(["detente"], ["report"])
    # What stays is told again, so that pip finds versions that suit all.
    assert env.asked.pop() == [*core(env), "paper>=2"]


def test_an_install_that_fails_is_not_noted(
    env: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    env.prepare(["detente"])
    change(env, "base>=1", "base>=2")
    env.code = 1
    with pytest.raises(SystemExit, match="could not be made"):
        env.prepare(["detente"])
    change(env, "base>=2", "base>=1")  # as it was: but pip may have changed anything meanwhile
    env.code = 0
    env.prepare(["detente"])
    assert len(env.asked) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("Installing core into .venv (once; about 20 s) ...\n") == 3


def test_an_interrupted_install_is_done_again(
    env: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(env.subprocess, "run", stopped)
        with pytest.raises(SystemExit):
            env.prepare(["detente"])
    env.prepare(["detente"])
    assert env.asked == [core(env)]


def test_another_python_makes_the_environment_anew(
    env: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    env.prepare(["detente"], ["report"])
    (env.VENV / "old").touch()
    monkeypatch.setattr(env, "foundation", lambda: "another")
    env.prepare(["ruff"])
    assert not (env.VENV / "old").exists()
    assert env.asked[-1] == ["brush>=1"]
    env.prepare(["detente"])
    assert core(env)[0] in env.asked[-1]


@pytest.mark.skipif(os.name == "nt", reason="nobody waits there")
def test_two_at_once_install_once(env: ModuleType) -> None:
    with env.alone():
        second = threading.Thread(target=env.prepare, args=(["detente"],))
        second.start()
        second.join(0.3)
        assert second.is_alive()
        env.install(["core"], env.project())
    second.join(30)
    assert env.asked == [core(env)]


def test_the_sets_of_the_project(monkeypatch: pytest.MonkeyPatch, env: ModuleType) -> None:
    monkeypatch.setattr(env, "ROOT", ROOT)
    settings = env.project()
    wanted = {name for names in env.NEEDS.values() for name in names} | set(env.FULL) - {"core"}
    assert wanted - {"core"} <= env.named_sets(settings).keys()
    for name in env.named_sets(settings):
        lines = env.requirements(name, settings)
        assert lines
        assert not any(line.startswith("detente") for line in lines)
    test = env.requirements("test", settings)
    assert set(env.requirements("cluster", settings)) < set(test)
    assert not any(line.startswith(("pygambit", "nashpy", "selenium")) for line in test)


def test_what_it_says_without_words() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "env.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "--with ensemble,report" in done.stderr
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "env.py"), "--with"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "error: --with what? For example: --with report\n"


def test_what_python_compiles_is_kept_where_nothing_may_lie_beside_sources(env: ModuleType) -> None:
    kept = str(env.VENV / "pycache")
    found = env.surroundings({"PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1"})
    assert found["PYTHONPYCACHEPREFIX"] == kept
    assert "PYTHONDONTWRITEBYTECODE" not in found
    assert found["PATH"].split(os.pathsep) == [str(env.BIN), "/bin"]
    assert "PYTHONPYCACHEPREFIX" not in env.surroundings({})
    chosen = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/mine"}
    assert env.surroundings(chosen)["PYTHONPYCACHEPREFIX"] == "/mine"

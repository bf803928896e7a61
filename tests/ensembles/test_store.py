"""The folder of a run: whatever happens while it is written, it can be read and resumed."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detente.ensembles import parts as parquet
from detente.ensembles import store
from detente.ensembles.parts import part_number
from detente.ensembles.results import open_ensemble
from detente.ensembles.rows import Row
from detente.errors import ScenarioError
from tests import effort
from tests.ensembles.runs import a_manifest


def rows(draw: int, value: float = 0.1, status: str = "SOLVED") -> list[Row]:
    """Rows of a draw as a worker would give them."""
    common = {"draw": draw, "beliefs": 5, "status": status, "reason": "", "seconds": 0.5}
    numbers = {"set:prior": 1 / 3, "step@1": value + draw}
    return [{**common, "policy": policy, **numbers} for policy in ("open", "promise")]


def kept(folder: Path) -> set[int]:
    with store.resume(folder) as found:
        return {draw for draw, _ in found.done}


def parts(folder: Path) -> list[tuple[int, int]]:
    """Numbers of the parts, and how often they were written anew; nothing else is there."""
    return [part_number(path) for path in sorted((folder / "rows").iterdir())]


def read(folder: Path) -> pd.DataFrame:
    return open_ensemble(folder).sql("SELECT * FROM rows ORDER BY draw, policy")


def begun(folder: Path, draws: int) -> None:
    with store.create(folder, a_manifest()) as found:
        for draw in range(draws):
            assert found.append(rows(draw))


def refused(action: object, *arguments: object) -> str:
    with pytest.raises(ScenarioError) as caught:
        action(*arguments)  # type: ignore[operator]
    return str(caught.value)


def test_numbers_come_back_bit_for_bit(tmp_path: Path) -> None:
    numbers = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 2.0**-1074 * 3]
    with store.create(tmp_path / "run", a_manifest()) as found:
        for draw, x in enumerate([*numbers, np.nan, np.inf, -np.inf]):
            found.append([row | {"step@1": x} for row in rows(draw)])
    came = read(tmp_path / "run")["step@1"][::2]
    assert [x.hex() for x in came[:6]] == [x.hex() for x in numbers]
    assert came[6:].isna().all()


def test_rows_are_in_parts_of_a_size_and_the_last_one_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PART", 3)
    monkeypatch.setattr(store, "EVERY", 0.0)
    monkeypatch.setattr(store, "COST", 0.0)
    folder = tmp_path / "run"
    with store.create(folder, a_manifest()) as found:
        for draw in range(8):
            found.append(rows(draw))
            assert len(found.kept) == draw + 1
            assert read(folder)["draw"].nunique() == draw + 1
        assert not found.append(rows(2, value=9))  # it is there already
    assert parts(folder) == [(0, 2), (1, 2), (2, 1)]
    table = read(folder)
    assert list(table["draw"]) == [draw for draw in range(8) for _ in range(2)]
    assert list(table["step@1"]) == [0.1 + draw for draw in range(8) for _ in range(2)]
    assert table["calm@1"].isna().all()
    assert list(table.columns) == list(a_manifest().columns())


def test_rows_are_written_every_few_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    folder = tmp_path / "run"
    with store.create(folder, a_manifest()) as found:
        found.append(rows(0))
        found.append(rows(1))
        assert parts(folder) == []
        now += store.EVERY
        found.append(rows(2))
        found.append(rows(3))
        assert len(read(folder)) == 6
        now += store.EVERY
        found.tick()  # also where nothing comes
        assert len(read(folder)) == 8
        assert len(found.kept) == 4


def test_an_ensemble_that_was_opened_does_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "EVERY", 0.0)
    monkeypatch.setattr(store, "COST", 0.0)
    folder = tmp_path / "run"
    with store.create(folder, a_manifest()) as found:
        found.append(rows(0))
        found.append(rows(1))
        before = open_ensemble(folder)
        for draw in range(2, 8):
            found.append(rows(draw))
    assert before.sql("SELECT * FROM rows").shape[0] == 4
    assert len(read(folder)) == 16


def test_a_run_killed_between_two_steps_counts_rows_once(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with store.create(folder, a_manifest()) as found:
        found.append(rows(0))
        found.flush()
        (before,) = (folder / "rows").iterdir()
        content = before.read_bytes()
        found.append(rows(1))
    # Killed after the part had its new name, before the old one was removed.
    before.write_bytes(content)
    (folder / "rows" / ".part-00001.parquet").write_bytes(b"half of it")
    assert len(read(folder)) == 4
    with store.resume(folder) as found:
        assert len(found.done) == 2
        found.append(rows(2))
    assert len(read(folder)) == 6
    assert parts(folder) == [(0, 1), (1, 0)]


def test_a_full_disk_leaves_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"

    def fails(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with store.create(folder, a_manifest()) as found:
        found.append(rows(0))
        found.flush()
        found.append(rows(1))
        monkeypatch.setattr(Path, "replace", fails)
        with pytest.raises(OSError, match="No space left"):
            found.flush()
        assert len(found.kept) == 1
        assert parts(folder) == [(0, 0)]
        monkeypatch.undo()
        found.append(rows(2))
    assert parts(folder) == [(0, 1)]
    assert kept(folder) == {0, 1, 2}


def test_a_full_disk_is_told_as_the_system_does(tmp_path: Path) -> None:
    batch = parquet.Batch(a_manifest().columns())
    batch.append(rows(0))
    with pytest.raises(OSError, match=r"none.*part\.parquet"):
        batch.write(tmp_path / "none" / "part.parquet")


def test_failed_draws_are_counted(tmp_path: Path) -> None:
    with store.create(tmp_path / "run", a_manifest()) as found:
        found.append(rows(0))
        found.append(rows(1, status="INVALID"))
        found.flush()
        found.append(rows(2, status="FAULT"))
        assert len(found.failed) == 2
    with store.resume(tmp_path / "run") as found:
        assert len(found.failed) == 2


def test_draws_whose_process_died_are_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with store.create(folder, a_manifest()) as found:
        for draw, status in enumerate(["SOLVED", "CRASHED", "INVALID", "SOLVED", "CRASHED"]):
            found.append(rows(draw, status=status))
    (part,) = (folder / "rows").iterdir()
    before = part.read_bytes()
    assert set(open_ensemble(folder).rows["draw"]) == {1, 2, 3, 4}
    with store.resume(folder) as found:
        assert {draw for draw, _ in found.done} == {0, 2, 3}
        assert len(found.failed) == 1
        assert found.append(rows(1, value=7))
        assert found.append(rows(4, status="CRASHED"))  # and they may die again
        assert not found.append(rows(4, status="CRASHED"))
        assert len(found.failed) == 2
    table = open_ensemble(folder).rows
    assert list(table["draw"]) == [draw for draw in range(1, 5) for _ in range(2)]
    assert list(table["step@1"])[:2] == [8, 8]
    assert list(table[table["status"] == "CRASHED"]["draw"]) == [4, 4]
    assert list(table.columns) == list(a_manifest().columns())
    assert part.read_bytes() == before
    assert parts(folder) == [(0, 0), (1, 0)]
    with store.resume(folder) as found:
        assert {draw for draw, _ in found.done} == {0, 1, 2, 3}
        assert len(found.failed) == 1


def test_two_runs_do_not_write_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with store.create(folder, a_manifest()):
        assert "another process is writing this run" in refused(store.resume, folder)
    assert kept(folder) == set()


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    manifest = a_manifest()
    begun(tmp_path / "run", 1)
    assert "hint: resume it with `resume=True`" in refused(store.create, tmp_path / "run", manifest)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    assert "holds something else: letter.txt" in refused(store.create, tmp_path / "other", manifest)
    assert "it is a file" in refused(store.create, tmp_path / "other" / "letter.txt", manifest)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["letter.txt"]
    (tmp_path / "empty").mkdir()
    begun(tmp_path / "empty", 1)  # an empty folder will do
    # As will one of a run that was killed before it had begun.
    (tmp_path / "dead" / "rows").mkdir(parents=True)
    (tmp_path / "dead" / ".lock").touch()
    (tmp_path / "dead" / ".run.json").write_text("{")
    begun(tmp_path / "dead", 1)
    assert kept(tmp_path / "dead") == {0}


def test_what_is_no_run_is_not_opened(tmp_path: Path) -> None:
    assert "there is no such folder" in refused(open_ensemble, tmp_path / "none")
    assert "there is no run in this folder" in refused(store.resume, tmp_path)
    (tmp_path / "run.json").write_text('{"format": 99}')
    assert "not the manifest of a run" in refused(open_ensemble, tmp_path)
    begun(tmp_path / "run", 1)
    (tmp_path / "run" / "rows" / "part-00000.parquet").write_bytes(b"nothing")
    assert "a part cannot be read" in refused(open_ensemble, tmp_path / "run")
    assert "hint: move it out of the folder" in refused(store.resume, tmp_path / "run")


# --- bits that are lost ---


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run: three parts."""
    folder = tmp_path_factory.mktemp("small") / "run"
    with pytest.MonkeyPatch.context() as patch, store.create(folder, a_manifest()) as found:
        patch.setattr(store, "PART", 3)
        for draw in range(8):
            found.append(rows(draw))
    return folder


@pytest.mark.slow
def test_no_flipped_bit_changes_a_number(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seeded sample over all files, and all of it at the ends, where files say what they are."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # which is not what is tested, and slow
    right = read(small)
    files = [path.relative_to(small) for path in sorted(small.rglob("*")) if path.is_file()]
    files = [name for name in files if (small / name).stat().st_size]
    assert len(files) == 5
    rng = random.Random(4)
    told = tried = 0
    for name in files:
        content = (small / name).read_bytes()
        bits = 8 * len(content)
        ends = [*range(4), *range(bits - 9, bits)][::4]
        for bit in [*rng.sample(range(bits), effort.examples(4)), *ends]:
            tried += 1
            folder = tmp_path / f"{name.name}-{bit}"
            shutil.copytree(small, folder)
            garbled = bytearray(content)
            garbled[bit // 8] ^= 1 << bit % 8
            (folder / name).write_bytes(garbled)
            if found := store.damage(folder):
                told += 1
                assert [name.as_posix() in one.message for one in found] == [True]
                said = refused(open_ensemble, folder)
                assert name.as_posix() in said
                assert "`resume=True`" in said
            else:
                pd.testing.assert_frame_equal(read(folder), right, check_exact=True)
            with store.resume(folder) as kept_on:
                for draw in range(8):
                    kept_on.append(rows(draw))
            assert store.damage(folder) == []
            pd.testing.assert_frame_equal(read(folder), right, check_exact=True)
            shutil.rmtree(folder)
    assert told >= 0.6 * tried > 0


def test_a_manifest_without_a_copy_that_is_whole_is_refused(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(small, folder)
    for name in ("run.json", "run.copy.json"):
        text = (folder / name).read_text("utf-8")
        (folder / name).write_text(text.replace('"seed": 0', '"seed": 1'), "utf-8")
    for action in (open_ensemble, store.resume, store.damage):
        assert "or damaged\n  hint: name another folder for a new run" in refused(action, folder)

"""A process that solves worlds: `python -m detente.ensembles.worker` (`ensembles.local`).

It reads a line of JSON for each thing that is asked of it, and answers each by a line in the same
order. The first line holds the manifest of the run and is answered by the versions of what decides
the numbers; every other one holds a world and is answered by its rows. It ends when its input ends,
in the middle of a world too: then whoever asked is gone.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

NO_MEMORY = 3
"""Exit code of a process that ran out of memory: what it holds is not to be trusted."""


def main() -> None:
    """Answer until there is nothing more to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it says when to stop
    asked, answers = _channels()
    lines: queue.Queue[bytes] = queue.Queue()
    # The input is watched from the first moment on, so that a process whose parent has been killed
    # never stays behind: the numerical libraries are loaded while it is.
    threading.Thread(target=_watch, args=(asked, lines), daemon=True).start()
    from detente.ensembles.draws import Draw
    from detente.ensembles.manifest import Manifest, versions
    from detente.ensembles.world import Worker

    worker = Worker(Manifest.from_json(json.loads(lines.get())["manifest"]))
    _answer(answers, {"versions": versions()})
    while True:
        task = json.loads(lines.get())
        draw = Draw(task["draw"], task["values"], task["options"])
        try:
            rows = worker.solve(draw, task["beliefs"])
        except MemoryError:
            print("out of memory", file=sys.stderr, flush=True)
            os._exit(NO_MEMORY)
        _answer(answers, {"rows": rows})


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """Input and output for the protocol alone: what libraries print goes to stderr."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return asked, answers


def _watch(asked: BinaryIO, lines: queue.Queue[bytes]) -> None:
    for line in asked:
        lines.put(line)
    os._exit(0)


def _answer(answers: BinaryIO, data: object) -> None:
    answers.write(f"{json.dumps(data, ensure_ascii=False)}\n".encode())
    answers.flush()


if __name__ == "__main__":
    main()

"""Files that commands write: `detente.files`, with its hint in the words of the command line."""

from __future__ import annotations

from functools import partial

from detente import files

WAY_OUT = "give another name, or --force to replace it"

check = partial(files.check, way_out=WAY_OUT)
write = partial(files.write, way_out=WAY_OUT)

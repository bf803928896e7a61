"""`detente implies`: what the numbers of a scenario say, before anything is solved."""

from __future__ import annotations

from detente.cli.groups import with_groups
from detente.cli.inputs import Source
from detente.cli.options import PolicyOptions
from detente.cli.results import TableOptions


@with_groups
def implies(source: Source, *, setting: PolicyOptions, output: TableOptions) -> None:
    """Say what its numbers imply, the odd first: exchange rates, the end's worth, odds of moves."""
    output.check([source])
    from detente.analysis.implications import implies as read
    from detente.describe.implications import describe_implications

    output.show(describe_implications(read(setting.compile(source))), [source])

"""The kinds of jobs that this release knows, each with the queue that carries it out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kamioi_web.jobs import (
    applying,
    asking,
    bulk,
    count,
    deciding,
    duplicates,
    export,
    importing,
    mapping,
    quality,
    undo,
    upkeep,
)
from kamioi_web.jobs.running import Job


@dataclass(frozen=True)
class Kind:
    """A kind of job: `run` does it from its checkpoint on; an `undoable` one keeps what was before; one that
    `begins_anew` has no checkpoint, so that pausing it is no use."""

    name: str
    run: Callable[[Job], dict[str, Any]]
    queue: str = "default"
    undoable: bool = False
    begins_anew: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("bulk", bulk.run, undoable=True),
        Kind("undo", undo.run, undoable=True),
        Kind("apply", applying.run, queue="mapping", undoable=True),
        Kind("map", mapping.run, queue="mapping"),
        Kind("ask", asking.run, queue="mapping", undoable=True),
        Kind("decide", deciding.run, queue="mapping", undoable=True),
        Kind("quality", quality.run, queue="mapping", begins_anew=True),
        Kind("duplicates", duplicates.run, queue="mapping", undoable=True),
        Kind("import", importing.run),
        Kind("export", export.run, queue="export", begins_anew=True),
        Kind("count", count.run, begins_anew=True),
        Kind("check", upkeep.check),
        Kind("clean", upkeep.clean),
    )
}

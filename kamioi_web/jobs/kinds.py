"""The kinds of jobs that this release knows, each with the queue that carries it out, and how it is undone."""

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
    mapping_images,
    quality,
    store,
    undo,
    upkeep,
)
from kamioi_web.jobs.running import Ended, Job
from kamioi_web.jobs.tables import OPEN_STATES

Work = Callable[[Job], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of job: `run` does it from its checkpoint on; `take_back`, where it can be undone, is what the undo does;
    one that `begins_anew` has no checkpoint, so that pausing it is no use."""

    name: str
    run: Work
    queue: str = "default"
    take_back: Work | None = None
    begins_anew: bool = False


def _undo(job: Job) -> dict[str, Any]:
    """Undo another job as its kind does, once that is over: told to stop, it may not have come to it yet."""
    with job.database.reading() as connection:
        undone = store.find(connection, job.parameters["job_id"])
    if undone.state in OPEN_STATES:
        raise Ended("waiting", seconds=1)
    take_back = KINDS[undone.kind].take_back
    assert take_back is not None, "such an undo is not ordered"
    return take_back(job)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("bulk", bulk.run, take_back=undo.take_back),
        Kind("undo", _undo, take_back=undo.take_back),
        Kind("apply", applying.run, queue="mapping", take_back=undo.take_back),
        Kind("map", mapping.run, queue="mapping"),
        Kind("ask", asking.run, queue="mapping", take_back=mapping_images.take_back),
        Kind("decide", deciding.run, queue="mapping", take_back=deciding.take_back),
        Kind("quality", quality.run, queue="mapping", begins_anew=True),
        Kind("duplicates", duplicates.run, queue="mapping", take_back=mapping_images.take_back),
        Kind("import", importing.run),
        Kind("export", export.run, queue="export", begins_anew=True),
        Kind("count", count.run, begins_anew=True),
        Kind("check", upkeep.check),
        Kind("clean", upkeep.clean),
    )
}

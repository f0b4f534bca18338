"""``python -m medfm_gui.desk.supervisor WORKSPACE RUN …``: looks after runs that the window started.

It is a child of the window and ends with it, and each worker ends with its supervisor: a window that is
killed leaves nothing running, and its runs can be resumed. A closed pipe, SIGTERM or a request in the
run's folder pauses or cancels in good order. Its last line on standard output is a ``Failure``, if any.
"""

from __future__ import annotations

import sys
from pathlib import Path

from medfm_gui.base import children, wire
from medfm_gui.domain.errors import MedfmError


def main() -> int:
    """Supervise the runs named on the command line, one after another on each device."""
    children.die_with_parent()
    children.die_with_pipe()
    from medfm_gui.desk.service import failure_of
    from medfm_gui.workspace.place import open_workspace
    from medfm_gui.workspace.training import run_to_end

    root, *run_ids = sys.argv[1:]
    try:
        with open_workspace(Path(root)) as workspace:
            run_to_end(workspace, run_ids)
    except MedfmError as error:
        sys.stdout.buffer.write(wire.encode(failure_of(error)) + b"\n")
        sys.stdout.flush()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

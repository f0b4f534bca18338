"""``python -m medfm_gui.desk WORKSPACE [--read-only] [--there] [--rebuild]``: started by the window, ends with it.

Questions come on standard input, answers leave by the former standard output: whatever a library
prints goes nowhere, for it may hold what a file says of a patient.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from medfm_gui.base import children


def main() -> None:
    """Move the pipes out of the libraries' reach, then serve."""
    children.die_with_parent()
    from medfm_gui.desk.service import serve

    orders = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    flags = sys.argv[2:]
    serve(
        Path(sys.argv[1]),
        orders,
        answers,
        is_read_only="--read-only" in flags,
        must_be_there="--there" in flags,
        rebuild_first="--rebuild" in flags,
    )


if __name__ == "__main__":
    main()

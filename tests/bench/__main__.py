"""``python -m tests.bench [ID …] [--tiny]``: one JSON line an entry on stdout, what went wrong on stderr.

Ends with 0 even where a goal is missed (the line says so), with 1 if an entry broke, with 2 for a wrong id.
Everything is measured in the environment and at the priority of an engine worker, which must be set before
a process starts: so this one starts itself once more, at real size for each entry, so that none finds what
another has loaded.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from medfm_gui.base import children
from tests.bench import ENTRIES

_INSIDE = "MEDFM_BENCH_INSIDE"


def main(arguments: Sequence[str]) -> int:
    """Run the entries that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"one of: {', '.join(ENTRIES)}")
    parser.add_argument("--tiny", action="store_true", help="sizes that say nothing, only to see that it runs")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.ids if name not in ENTRIES]
    if unknown:
        parser.error(f"there is no entry {unknown[0]}; entries are: {', '.join(ENTRIES)}")
    ids = options.ids or list(ENTRIES)
    if _INSIDE not in os.environ:
        return _again([*ids, "--tiny"]) if options.tiny else max([_again([name]) for name in ids])
    children.die_with_parent()
    children.lower_priority()
    logging.disable(logging.WARNING)  # libraries remark on what is no defect, and stderr is for what is one
    return max([_run(name, options.tiny) for name in ids])


def _again(arguments: Sequence[str]) -> int:
    """This program as a child that computes as a worker does; 1 also if it was killed."""
    environment = children.clean_environment({**children.compute_environment(), _INSIDE: "1"})
    command = [sys.executable, "-m", "tests.bench", *arguments]
    return int(subprocess.run(command, env=environment, check=False).returncode != 0)


def _run(name: str, tiny: bool) -> int:
    """Print one entry's line; 1 if it broke."""
    try:
        entry = importlib.import_module(f"tests.bench.{name.replace('-', '_')}")
        line: dict[str, Any] = {"id": name, "what": _what(entry.__doc__ or ""), "repeats": 1, **entry.main(tiny)}
    except Exception:  # noqa: BLE001 - border: one broken entry does not keep the others from running
        sys.stderr.write(f"{name}:\n{traceback.format_exc()}")
        return 1
    line["load"] = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return 0


def _what(documentation: str) -> str:
    """The first sentence of an entry's docstring, without its id."""
    return " ".join(documentation.partition("\n\n")[0].split()).partition(": ")[2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

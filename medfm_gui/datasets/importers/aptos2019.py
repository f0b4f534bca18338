"""APTOS 2019: fundus photographs graded 0 to 4 for diabetic retinopathy.

The competition gives ``train.csv`` (id_code, diagnosis), ``train_images/<id_code>.png``, and a test without labels.
The re-host that Study A used divides the labelled images: ``train_1.csv``, ``valid.csv``, ``test.csv``, and
``train_images/train_images``, ``val_images/val_images``, ``test_images/test_images``.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from medfm_gui.datasets.layout import Choice, Layout, Policy, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import Gathering, find_file, header, home, images_below, needed, records
from medfm_gui.datasets.table import Table, read_table
from medfm_gui.datasets.text import shown
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import TableError
from medfm_gui.domain.units import counted

GRADES = ("0 no DR", "1 mild", "2 moderate", "3 severe", "4 proliferative DR")
"""The classes in their order, named by the grade and what it stands for (DR = diabetic retinopathy)."""
_OF_GRADE = (1805, 370, 999, 193, 295)
_LABELLED, _UNLABELLED = 3_662, 1_928
_SIDES = (("train", "train_1.csv", 2_930), ("val", "valid.csv", 366), ("test", "test.csv", 366))
"""Partitions of the re-host: name, table, and how many images are known."""
_STATEMENT = Statement(
    unit="fundus photograph of an eye",
    sampling="unknown",
    reference_standard="grade of one clinician, 0 to 4",
    codes={name: f"ICDR {name[0]}" for name in GRADES},
    source="https://www.kaggle.com/c/aptos2019-blindness-detection",
)


def recognises(source: Path) -> str | None:
    """A table of ``id_code`` and ``diagnosis`` as the competition or the re-host call it, or a folder with one."""
    for name, form in (("train_1.csv", "the re-host in three partitions"), ("train.csv", "the competition's files")):
        found = find_file(source, name)
        if found and {"idcode", "diagnosis"} <= header(found):
            return f"“{shown(found.name)}” has id_code and diagnosis: {form}"
    return None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the labelled images; those of the competition's test are skipped, for their grades were not published.

    Raises:
        InputError: there is no table.
        TableError: a table lacks a column, or holds a grade that is none of 0 to 4.
    """
    source = home(source)
    policies = LAYOUT.chosen(options)
    is_rehost = find_file(source, "train_1.csv") is not None
    gathering = Gathering(images_below(source, unique=True))
    warnings: list[str] = []
    sizes: Counter[str] = Counter()
    for side, name, _ in _SIDES if is_rehost else (("", "train.csv", 0), ("", "test.csv", 0)):
        path = find_file(source, name)
        if path is None and name != "train.csv":
            if is_rehost:
                warnings.append(f"There is no “{name}”: the partition {side} is lacking.")
            continue
        table = read_table(needed(path, f"table “{name}” or “train_1.csv”", source))
        if side and side != "train" and policies["partitions"] == "train-only":
            sizes[name] = len(table.rows)
            warnings.append(_left_out(gathering, table))
        else:
            sizes[name] = _gather(gathering, table, side if policies["partitions"] == "as-given" else "")
    return Listing(
        "aptos2019",
        source,
        tuple(gathering.entries),
        label_names=("diagnosis",),
        classes=GRADES,
        task=Task.ORDINAL,
        skipped=(*gathering.skipped, *gathering.images.skipped),
        warnings=(*warnings, *gathering.remarks()),
        taken={
            "form": "re-host in three partitions" if is_rehost else "competition",
            "label": "diagnosis, as an ordered grade",
            **({"fold": "train_1, valid, test"} if is_rehost and policies["partitions"] == "as-given" else {}),
        },
        counts=_counts(
            gathering, sizes, is_rehost=is_rehost, left_out=is_rehost and policies["partitions"] == "train-only"
        ),
        policies=policies,
        statement=_STATEMENT,
    )


def _gather(gathering: Gathering, table: Table, fold: str) -> int:
    """Add the images of one table; how many rows it has."""
    columns = header(table.path)
    if "idcode" not in columns:
        raise TableError(f"“{shown(table.path.name)}” lacks “id_code”.", f"It has: {', '.join(table.columns)}.")
    for row in records(table):
        if "diagnosis" not in row:
            gathering.leave(row["idcode"], "no_label", "Its grade was not published (the competition's test).")
            continue
        grade = row["diagnosis"].removesuffix(".0")
        if grade and grade not in {"0", "1", "2", "3", "4"}:
            raise TableError(
                f"“{shown(table.path.name)}” gives “{row['idcode']}” the grade “{grade}”; grades are 0 to 4.",
                "Take the table as it was published.",
            )
        gathering.take(row["idcode"], (GRADES[int(grade)] if grade else "",), fold=fold or None)
    return len(table.rows)


def _left_out(gathering: Gathering, table: Table) -> str:
    """Pass over the images of a partition; the sentence that says so."""
    found = {name for row in records(table) if (name := gathering.images.named(row.get("idcode", "")))}
    gathering.named |= found
    return f"{counted(len(found), 'image')} of “{shown(table.path.name)}” left out (policy partitions)."


def _counts(gathering: Gathering, sizes: Counter[str], *, is_rehost: bool, left_out: bool) -> tuple[Count, ...]:
    found = Counter(entry.labels[0] for entry in gathering.entries)
    rows = [Count(f"rows of {name}", sizes[name], known, "mem") for _, name, known in _SIDES]
    if not is_rehost:
        rows = [
            Count("rows of train.csv", sizes["train.csv"], _LABELLED, "pub"),
            Count("images without a grade", sizes["test.csv"], _UNLABELLED, "mem"),
        ]
    return (
        *rows,
        Count("graded images", len(gathering.entries), None if left_out else _LABELLED, "" if left_out else "pub"),
        *(
            Count(f"images of grade {name}", found[name], None if left_out else known, "" if left_out else "mem")
            for name, known in zip(GRADES, _OF_GRADE, strict=True)
        ),
    )


LAYOUT = Layout(
    "aptos2019",
    "APTOS 2019: fundus, grades of diabetic retinopathy",
    "classification",
    recognises,
    read,
    policies=(
        Policy(
            "partitions",
            "The re-host's three partitions",
            (
                Choice("as-given", "Kept as official partitions"),
                Choice("joined", "Put together, to be divided anew"),
                Choice("train-only", "Its training part alone, without partitions"),
            ),
        ),
    ),
    presets={"study-a": {"partitions": "train-only"}},
)

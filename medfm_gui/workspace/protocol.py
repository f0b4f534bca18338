"""The evaluation protocol: read, checked, hashed and locked; and what of the results it had promised.

A protocol is a small TOML or JSON file with the keys of ``Protocol``. It binds where it was locked before anyone looked
at the test images, by whichever run, split or import: a look is found by the hashes of the images. What it does not
name is exploratory.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfm_gui.base import wire
from medfm_gui.datasets.targets import samples_of
from medfm_gui.datasets.units import known_units, names_of
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, MedfmError, NotFound, UsageError
from medfm_gui.domain.protocol import LockedProtocol, Protocol, Timing
from medfm_gui.domain.split import Partition, Split
from medfm_gui.domain.units import UNITS, counted, plural, unit_parts, unit_text, unit_word
from medfm_gui.workspace import data, training
from medfm_gui.workspace.evaluating import every_opening
from medfm_gui.workspace.journal import entries, note
from medfm_gui.workspace.outside_looks import external_looks
from medfm_gui.workspace.place import Workspace, now

_LARGEST = 1 << 20
_OPTIONAL = ("primary_comparison", "margin", "subgroups", "split", "dataset")
_KEYS = tuple(field.name for field in dataclasses.fields(Protocol))
_TEXTS = (
    "question",
    "population",
    "unit",
    "reference_standard",
    "primary_metric",
    "threshold_rule",
    "dataset",
    "split",
)
_LONGEST = 10_000
_OPENED = "test opened"


@dataclass(frozen=True, slots=True)
class Locking:
    """A protocol that is locked; ``is_new`` is false where the same one was locked before."""

    locked: LockedProtocol
    is_new: bool
    remarks: tuple[str, ...] = ()
    """What does not fit the data as they are: a subgroup that is no covariate, another number of units."""

    @property
    def sentence(self) -> str:
        """What the locking means."""
        one = self.locked
        again = "" if self.is_new else "It was locked before and stays as it is. "
        if one.timing is Timing.AFTER:
            return (
                f"{again}Locked after opening: exploratory. {', '.join(one.opened_by)} had looked at these test images."
            )
        return (
            f"{again}Locked before the test of “{one.protocol.dataset}” was opened; what is not in it is exploratory."
        )


def lock_protocol(workspace: Workspace, file: Path) -> Locking:
    """Check a protocol's file and lock it; the same contents are locked once.

    Raises:
        InputError: the file cannot be read.
        UsageError: keys are missing or unknown, or a value cannot be.
        NotFound: its dataset or split is not in this workspace.
    """
    protocol = _read(workspace, file.expanduser().absolute())
    sha256 = hashlib.sha256(wire.canonical(wire.plain(protocol))).hexdigest()
    name = f"protocol-{sha256[:12]}"
    path = workspace.root / "protocols" / f"{name}.json"
    dataset = data.read(workspace, protocol.dataset)
    remarks = (*_misfits(workspace, protocol, dataset), *_earlier(workspace, protocol, name))
    if path.exists():
        return Locking(wire.read(LockedProtocol, path), is_new=False, remarks=remarks)
    splits = data.splits_of(workspace, protocol.split) if protocol.split else []
    made = LockedProtocol(
        id=name,
        protocol=protocol,
        sha256=sha256,
        locked=now(),
        dataset_fingerprint=dataset.fingerprint,
        split_fingerprint=splits[0].fingerprint if len(splits) == 1 else "",
        opened_by=_looks(workspace, dataset, splits),
    )
    said = {"sha256": sha256, "dataset": protocol.dataset, "locked": f"{made.timing.value} opening"}
    note(workspace, "protocol locked", name, **said)  # said first: a file without its line would be of no worth
    wire.write(path, made)
    return Locking(made, is_new=True, remarks=remarks)


def _misfits(workspace: Workspace, protocol: Protocol, dataset: Dataset) -> Iterator[str]:
    """What of a protocol does not fit the data; it is locked all the same, for the data may be wrong."""
    known = {name.casefold() for sample in dataset.samples for name in sample.covariates}
    known |= {"group"} if any(sample.group for sample in dataset.samples) else set()
    strange = [name for name in protocol.subgroups if name.casefold() not in known]
    if strange:
        named = ", ".join(f"“{name}”" for name in strange)
        yield f"No image of “{dataset.id}” has a value of {named}, which the protocol names as subgroup."
    split = protocol.split or data.newest_split(workspace, dataset.id)
    folds = data.splits_of(workspace, split) if split else []
    word = unit_word(protocol.unit)
    if word not in known_units(dataset):
        yield f"“{dataset.id}” does not tell which images are of one {word}, which the protocol names as unit."
        return
    if len(folds) != 1:
        return
    tested = samples_of(dataset, folds[0].samples_in(Partition.TEST))
    units = len(set(names_of(dataset, tested, word)))
    if units != protocol.n:
        yield f"The protocol plans {counted(protocol.n, word)}, and the test of {folds[0].id} has {units:,}."


def _earlier(workspace: Workspace, protocol: Protocol, name: str) -> Iterator[str]:
    """Protocols that a new one takes the place of."""
    split = protocol.split or data.newest_split(workspace, protocol.dataset) or ""
    ids = [one.id for one in _fitting(workspace, protocol.dataset, split) if one.id != name]
    if ids:
        yield f"{', '.join(ids)} was locked for these data too: all stay, and the last before the opening counts."


def every_protocol(workspace: Workspace) -> list[LockedProtocol]:
    """All locked protocols, in the order of locking."""
    found = [wire.read(LockedProtocol, path) for path in (workspace.root / "protocols").glob("protocol-*.json")]
    return sorted(found, key=lambda one: (one.locked, one.id))


def is_intact(locked: LockedProtocol) -> bool:
    """Whether a locked protocol still has the contents of its hash."""
    return hashlib.sha256(wire.canonical(wire.plain(locked.protocol))).hexdigest() == locked.sha256


def _looks(workspace: Workspace, dataset: Dataset, splits: Sequence[Split]) -> tuple[str, ...]:
    """Runs that looked at images which a test of this dataset may hold: those of the splits, else any of its images."""
    wanted = {item.sample for split in splits for item in split.assignments if item.partition is Partition.TEST}
    pixels = {sample.pixels_sha256 for sample in dataset.samples if not splits or sample.id in wanted}
    looked = [entry.subject for entry in entries(workspace.root) if entry.what == _OPENED]
    runs = dict.fromkeys([*looked, *(file.run for file in every_opening(workspace))])
    saw = [run for run in runs if _saw(workspace, run, dataset.fingerprint, splits, pixels)]
    outside = [entry.subject for entry in external_looks(workspace, pixels - {""})]
    return tuple(dict.fromkeys([*saw, *outside]))


def _saw(workspace: Workspace, run: str, fingerprint: str, splits: Sequence[Split], pixels: set[str]) -> bool:
    try:
        spec = training.spec_of(workspace.run(run))
        if spec.dataset_fingerprint == fingerprint and not splits:
            return True
        seen = set(data.splits_of(workspace, spec.split_id)[0].samples_in(Partition.TEST))
        other = data.read(workspace, spec.dataset_id)
    except MedfmError:  # what it looked at is gone; its name in the journal is all that is known
        return False
    return any(sample.id in seen and sample.pixels_sha256 in pixels for sample in other.samples)


def _read(workspace: Workspace, file: Path) -> Protocol:
    values = _checked_keys(_parsed(file))
    for key in _TEXTS:
        if key in values:
            values[key] = _text(key, values[key])
    values["unit"] = _unit(values["unit"])
    values["primary_metric"] = _metric(values["primary_metric"])
    values["n"] = _count(values["n"])
    values["margin"] = _margin(values.get("margin"))
    values["subgroups"] = _words("subgroups", values.get("subgroups", ()))
    values["primary_comparison"] = _pair(values.get("primary_comparison", ()))
    values["dataset"] = _dataset(workspace, values.get("dataset", ""), values.get("split", ""))
    return Protocol(**values)


def _parsed(file: Path) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > _LARGEST:
            raise InputError(f"“{file.name}” is too large for a protocol of one page.", "Choose the protocol's file.")
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"The protocol “{file}” cannot be read ({why}).", "Check the path.") from error
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"“{file.name}” is neither TOML nor JSON ({error}).", 'Write lines such as question = "…".'
        ) from error
    table = found.get("protocol", found)
    if not isinstance(table, dict):
        raise InputError(f"“{file.name}” holds no table of keys.", 'Write lines such as question = "…".')
    return table


def _checked_keys(table: Mapping[str, Any]) -> dict[str, Any]:
    values = {re.sub(r"[\s\-]+", "_", key.strip().lower()): value for key, value in table.items()}
    unknown = [key for key in values if key not in _KEYS]
    missing = [key for key in _KEYS if key not in _OPTIONAL and values.get(key) in (None, "")]
    said = [f"unknown: {', '.join(unknown)}"] if unknown else []
    said += [f"missing: {', '.join(missing)}"] if missing else []
    if said:
        raise UsageError(f"The protocol cannot be locked ({'; '.join(said)}).", f"Its keys are: {', '.join(_KEYS)}.")
    return {key: value for key, value in values.items() if value is not None}


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise UsageError(f"“{key}” of the protocol is not a text.", "Write it in quotes, in one paragraph.")
    return " ".join(value.split())


def _unit(value: str) -> str:
    word, colon, rule = value.lower().partition(":")
    several = {plural(unit): unit for unit in UNITS}
    return unit_text(*unit_parts(f"{several.get(word.strip(), word.strip())}{colon}{rule.strip()}"))


def _metric(value: str) -> str:
    from medfm_gui.metrics.names import METRICS

    def letters(text: str) -> str:
        return re.sub(r"[^a-z0-9]", "", text.lower())

    names = {letters(metric): metric for metric in METRICS}
    names |= {letters(name.title): metric for metric, name in METRICS.items()}
    found = names.get(letters(value))
    if found is None:
        raise UsageError(f"There is no metric “{value}”.", f"Use one of: {', '.join(METRICS)}.")
    return found


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError("“n” of the protocol is no number of units.", "Write a whole number from 1, e.g. n = 200.")
    return value


def _margin(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise UsageError("“margin” of the protocol is no margin.", "Write a number between 0 and 1, e.g. 0.05.")
    return float(value)


def _words(key: str, value: object) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise UsageError(f"“{key}” of the protocol is no list.", f'Write {key} = ["sex", "age"].')
    return tuple(word for word in (_text(key, item) for item in items) if word)


def _pair(value: object) -> tuple[str, ...]:
    """Two sides in words: a list, a table of two, or a text with “versus” between them."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, str):
        value = re.split(r"\s+(?:vs\.?|versus|against|minus|compared (?:with|to)|–|−|-)\s+", value.strip(), flags=re.I)
    sides = _words("primary_comparison", value)
    if len(sides) not in (0, 2):
        raise UsageError(
            "“primary_comparison” of the protocol does not name two sides.",
            'Write two runs, models or adaptations: primary_comparison = ["dinov2-s linear", "r0001"].',
        )
    return sides


def _dataset(workspace: Workspace, name: str, split: str) -> str:
    if split:
        owner = data.splits_of(workspace, split)[0].dataset
        if name and name != owner:
            raise UsageError(f"The split “{split}” belongs to “{owner}”, not to “{name}”.", "Name one that fits.")
        return owner
    if name:
        workspace.dataset(name)
        return name
    every = [path.parent.name for path in sorted((workspace.root / "datasets").glob("*/manifest.json"))]
    if len(every) != 1:
        raise NotFound(
            "The protocol does not say for which dataset it is.",
            f'Add dataset = "…" ({", ".join(every) or "none yet"}).',
        )
    return every[0]


def locked_for(workspace: Workspace, dataset_id: str, split_id: str) -> LockedProtocol | None:
    """The protocol that a run of this dataset and split stands under: the last locked before opening, else the last.

    One whose file no longer has the contents of its hash is left out.
    """
    fitting = _fitting(workspace, dataset_id, split_id)
    before = [one for one in fitting if one.timing is Timing.BEFORE]
    chosen = (before or fitting)[-1:]
    return chosen[0] if chosen else None


def others_locked(workspace: Workspace, locked: LockedProtocol, split_id: str) -> list[LockedProtocol]:
    """Protocols of the same dataset and split that were locked beside the one that counts."""
    fitting = _fitting(workspace, locked.protocol.dataset, split_id)
    return [one for one in fitting if one.id != locked.id]


def _fitting(workspace: Workspace, dataset_id: str, split_id: str) -> list[LockedProtocol]:
    return [
        one
        for one in every_protocol(workspace)
        if one.protocol.dataset == dataset_id and _fits(one.protocol.split, split_id) and is_intact(one)
    ]


def _fits(wanted: str, split_id: str) -> bool:
    return not wanted or wanted == split_id or split_id.startswith(f"{wanted}-f")

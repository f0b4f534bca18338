"""What an importer is: a name, a look at a source, and a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.domain.errors import UsageError

if TYPE_CHECKING:
    from medfm_gui.imaging.examined import VolumeJob, VolumeResult
    from medfm_gui.imaging.pool import HeaderResult, PictureJob, PictureResult, RecordResult


class Decoder(Protocol):
    """What is asked of the decode pool (``imaging.pool.DecodePool``): foreign files are read in its children alone."""

    def pictures(self, jobs: Iterable[PictureJob]) -> Iterator[PictureResult]:
        """Decode pictures, in any order."""
        ...

    def volumes(self, jobs: Iterable[VolumeJob]) -> Iterator[VolumeResult]:
        """Look at volumes and their masks, in any order."""
        ...

    def headers(self, paths: Iterable[Path]) -> Iterator[HeaderResult]:
        """Read DICOM headers, in any order."""
        ...

    def to_npys(self, files: Iterable[tuple[str | Path, Path]]) -> Iterator[PictureResult]:
        """Decode pictures at full size, each into an ``.npy`` file of its own; the result's key is the path."""
        ...

    def telling(self, files: Iterable[tuple[str, Sequence[str]]]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Which parts of the paths of DICOM files tell who the patient is, in any order."""
        ...

    def records(self, paths: Iterable[Path]) -> Iterator[RecordResult]:
        """Read what MATLAB files say beside their pixels, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a reader may need beyond the source: the pool of decoders and the key of the pseudonyms."""

    pool: Decoder
    key: bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a policy and what it means."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A decision on labels or on which images count, that a dataset leaves to its user.

    ``default`` is the value of the first choice unless it names another.
    """

    name: str
    title: str
    choices: tuple[Choice, ...]
    default: str = ""

    @property
    def standard(self) -> str:
        """The value that is taken where nobody chose."""
        return self.default or self.choices[0].value


@dataclass(frozen=True, slots=True)
class Layout:
    """One way data lie on disk.

    ``recognises`` answers with the reason why a source looks like this layout, or None; it reads names, never pixels.
    ``presets`` gives the policies of a published study by the study's name.
    """

    name: str
    title: str
    task: str
    recognises: Callable[[Path], str | None]
    read: Callable[[Path, ImportOptions, Tools], Listing]
    policies: tuple[Policy, ...] = ()
    presets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def chosen(self, options: ImportOptions) -> dict[str, str]:
        """The value of every policy: a person's, else the preset's, else the standard one.

        Raises:
            UsageError: there is no such preset, policy or value; the message names those that there are.
        """
        known = {policy.name: policy for policy in self.policies}
        if options.preset and options.preset not in self.presets:
            there = ", ".join(self.presets) or "none"
            raise UsageError(f"The layout “{self.name}” has no preset “{options.preset}”.", f"Presets are: {there}.")
        wanted = {**self.presets.get(options.preset, {}), **options.policies}
        for name, value in wanted.items():
            if name not in known:
                there = ", ".join(known) or "none"
                raise UsageError(f"The layout “{self.name}” has no policy “{name}”.", f"Policies are: {there}.")
            values = [choice.value for choice in known[name].choices]
            if value not in values:
                raise UsageError(f"“{value}” is no value of the policy “{name}”.", f"Use {', '.join(values)}.")
        return {name: wanted.get(name, policy.standard) for name, policy in known.items()}

"""Questions about what a run's heat maps are worth: checks of the model, not of a case."""

from __future__ import annotations

from dataclasses import dataclass

from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.explain import MapChecks


@dataclass(frozen=True, slots=True)
class KeptMapChecks:
    """What was found out before about a run's maps, of its model as it is now, the newest first."""

    checks: tuple[MapChecks, ...]


@dataclass(frozen=True, slots=True)
class ListMapChecks(Ask[KeptMapChecks]):
    """Which checks of a run's maps are kept."""

    run: str


@dataclass(frozen=True, slots=True)
class CheckMaps(Ask[MapChecks]):
    """Check the maps of a finished run, and keep what is found out.

    ``explain`` is a name of ``domain.explain.EXPLANATIONS``, ``subset`` a partition; ``images`` of it are looked at.
    """

    run: str
    explain: str
    subset: str = "val"
    images: int = 32

"""Whether a report says what an item of a guideline asks: one rule an item, each decided by the facts.

A rule names the section in which the fact stands, or says what the data do not tell; None leaves the item to the
authors. Short facts that no section prints are said in the finding itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from medfm_gui.domain.dataset import Dataset, Statement, Task
from medfm_gui.domain.report import Charts, Part, Pictures, Section, Table
from medfm_gui.domain.run import EXTERNAL
from medfm_gui.domain.split import Split
from medfm_gui.workspace.evaluating import EvaluationFile, operating_point
from medfm_gui.workspace.report_demographics import demographics
from medfm_gui.workspace.report_preparation import CALIBRATOR, NO_VALIDATION, chosen_by
from medfm_gui.workspace.roles import Standing
from medfm_gui.workspace.training import RunView

PURPOSE, PROTOCOL = "Purpose", "Protocol"
"""Titles of the two sections that are no ``Part``."""
_SITES = frozenset({"site", "hospital", "centre", "center", "institution", "institutionname"})
_NO_SCANNER = "no manufacturer and no scanner is recorded with the images"
_NO_PROTOCOL = "no protocol was locked"


@dataclass(frozen=True, slots=True)
class Known:
    """What the rules look at. ``parts`` were asked for; ``sections`` are those of them that have been written.

    ``elsewhere`` counts stored tests on other datasets; ``attached`` tells whether files travel in the report.
    """

    views: Sequence[RunView]
    tests: Sequence[EvaluationFile]
    dataset: Dataset
    split: Split
    stated: Statement
    promised: Standing
    sections: Sequence[Section]
    parts: Sequence[Part] = tuple(Part)
    openings: int = 1
    attached: bool = True
    purpose: str = ""
    elsewhere: int = 0
    site_names: Sequence[str] | None = None
    """Covariates that name a site, where the samples do not carry all of theirs; None: as the samples have them."""

    @property
    def own(self) -> list[RunView]:
        """The runs that were trained here."""
        return [view for view in self.views if view.spec.adapt != EXTERNAL]

    @property
    def titles(self) -> set[str]:
        """Titles of all sections of the report: those written, and what comes after the checklists."""
        after = tuple(Part)[tuple(Part).index(Part.CHECKLISTS) + 1 :]
        return {section.title for section in self.sections} | {part.heading for part in after if part in self.parts}

    def also(self, part: Part, words: str) -> str:
        """A pointer to a second section, where the report has it."""
        return f"; {words} in {part.heading}" if part in self.parts else ""

    def tables(self, part: Part) -> list[Table]:
        """The tables of a written section."""
        return [block for section in self._of(part) for block in section.blocks if isinstance(block, Table)]

    def has_pictures(self, part: Part) -> bool:
        """Whether a written section shows any."""
        return any(isinstance(block, Pictures) for section in self._of(part) for block in section.blocks)

    def has_matrix(self, part: Part) -> bool:
        """Whether a written section draws a cross table."""
        blocks = [block for section in self._of(part) for block in section.blocks if isinstance(block, Charts)]
        return any(chart.kind == "matrix" for block in blocks for chart in block.charts)

    def characteristics(self) -> set[str]:
        """Names of what is told of the patients or images by partition."""
        written = self.tables(Part.DATA)
        tables = written or [block for block in demographics(self.dataset, self.split) if isinstance(block, Table)]
        return {row[0] for table in tables if table.caption.startswith("Characteristics") for row in table.rows[1:]}

    def _of(self, part: Part) -> list[Section]:
        return [section for section in self.sections if section.title == part.heading]


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a fact stands (the title of a section) and in short what it is; without a title: what is not told."""

    said: str
    title: str = ""


Rule = Callable[[Known], Finding | None]


def _at(place: Part | str, said: str) -> Finding:
    return Finding(said, place.heading if isinstance(place, Part) else place)


def _stated(name: str, title: str, known: Known) -> Finding:
    """A field of the dataset's statement."""
    if str(getattr(known.stated, name)).strip():
        return _at(Part.DATA, f"{title}, as stated")
    return Finding(f"the dataset does not state: {title}")


def _of_own(place: Part, said: str, known: Known) -> Finding:
    """What is known of every run that was trained here."""
    if not known.own:
        return Finding("the runs are predictions of other systems: nothing is known of it")
    others = [view.id for view in known.views if view not in known.own]
    return _at(place, said + (f"; not known of {', '.join(others)}" if others else ""))


# ---- what it is for ---------------------------------------------------------------------------------------------


def _purpose(known: Known) -> Finding | None:
    return _at(PURPOSE, "in the authors' words") if known.purpose.strip() else None


def _objectives(known: Known) -> Finding:
    if known.promised.locked is not None:
        return _at(PROTOCOL, "the question")
    if known.purpose.strip():
        return _at(PURPOSE, "if it names the aims")
    return Finding(f"{_NO_PROTOCOL} and no purpose was given")


def _goal(known: Known) -> Finding:
    if known.promised.locked is None:
        return Finding(f"{_NO_PROTOCOL} that fixes what is confirmed and what explored")
    if not known.promised.is_binding:
        return _at(PROTOCOL, "exploratory, with the reason")
    if known.promised.margin is not None:
        return _at(PROTOCOL, f"non-inferiority, margin {known.promised.margin:g}")
    return _at(PROTOCOL, "the primary metric was fixed beforehand")


def _protocol(known: Known) -> Finding:
    return _at(PROTOCOL, "locked, with its hash") if known.promised.locked is not None else Finding(_NO_PROTOCOL)


def _sample_size(known: Known) -> Finding:
    locked = known.promised.locked
    if locked is None:
        return Finding(f"{_NO_PROTOCOL} that plans a number of cases")
    rows = [row for row in known.tests[0].evaluations if not row.label]
    tested = f", {rows[0].n:,} tested" if rows else ""
    return _at(PROTOCOL, f"{locked.protocol.n:,} planned{tested}; how the number was found is yours to add")


# ---- data -------------------------------------------------------------------------------------------------------


def _eligibility(known: Known) -> Finding:
    if known.promised.locked is not None and known.promised.locked.protocol.population.strip():
        return _at(PROTOCOL, f"the population{known.also(Part.DATA, 'what was left out is counted')}")
    return Finding(f"no locked protocol names the population{known.also(Part.DATA, 'what was left out is counted')}")


def _reference(known: Known) -> Finding:
    if known.stated.reference_standard.strip():
        return _at(Part.DATA, "reference standard, as stated")
    if known.promised.locked is not None and known.promised.locked.protocol.reference_standard.strip():
        return _at(PROTOCOL, "reference standard")
    return Finding("neither the dataset nor a protocol states the reference standard")


def _sampling(known: Known) -> Finding:
    if known.stated.sampling in ("", "unknown"):
        return Finding("how the cases were found is not stated")
    return _at(Part.DATA, f"{known.stated.sampling}, as stated")


def _representative(known: Known) -> Finding:
    if known.stated.sampling == "consecutive":
        return _at(Part.DATA, "the cases are consecutive")
    if known.stated.prevalence.strip():
        return _at(Part.DATA, "the intended prevalence beside the counts of each class")
    return Finding("neither consecutive cases nor an intended prevalence is stated")


def _subsets(known: Known) -> Finding:
    few = [view.id for view in known.views if view.spec.shots is not None]
    if few:
        return _at(Part.MODELS, f"{', '.join(few)} learnt from a small draw of labels")
    if known.split.dropped:
        return _at(Part.SPLIT, f"{len(known.split.dropped):,} images were dropped to resolve leaks")
    return _at(Part.DATA, "all images that the flow leaves over")


def _missing(known: Known) -> Finding:
    skipped = len(known.dataset.skipped)
    said = f"{skipped:,} files became no image, by reason" if skipped else "no file was left out"
    return _at(Part.DATA, f"{said}; what was imputed before is yours to add")


def _unscored(known: Known) -> Finding:
    failed = any(row.parameters.get("failures") for test in known.tests for row in test.evaluations)
    return _at(Part.RESULTS, "how images without a score count" if failed else "every test image has a score")


def _acquisition(known: Known) -> Finding:
    if known.characteristics() & {"Manufacturer", "Scanner"}:
        return _at(Part.DATA, "makers by partition; how images were taken is yours to add")
    return Finding(_NO_SCANNER)


def _devices(known: Known) -> Finding:
    if known.characteristics() & {"Manufacturer", "Scanner"}:
        return _at(Part.DATA, f"makers by partition{known.also(Part.PROVENANCE, 'the software')}")
    return Finding(f"{_NO_SCANNER}{known.also(Part.PROVENANCE, 'the software')}")


def _sites(known: Known) -> Finding:
    if known.characteristics() & {"Site", "Hospital"}:
        return _at(Part.DATA, "sites by partition; the setting is yours to add")
    return Finding("no site is recorded with the images")


def _characteristics(known: Known) -> Finding:
    if known.characteristics():
        return _at(Part.DATA, "by partition; small counts are withheld")
    return Finding("no sex, no age and no other known covariate is recorded")


def _severity(known: Known) -> Finding | None:
    return _at(Part.DATA, "grades by partition") if known.dataset.task is Task.ORDINAL else None


def _alternatives(known: Known) -> Finding | None:
    return _at(Part.DATA, "classes by partition") if known.dataset.task is Task.MULTICLASS else None


def _availability(known: Known) -> Finding:
    if known.stated.licence.strip():
        weights = known.also(Part.MODELS, "that of the weights")
        return _at(Part.DATA, f"the data's licence{weights}; where to get them is yours to add")
    return Finding("the dataset states no licence")


# ---- partitions -------------------------------------------------------------------------------------------------


def _disjoint(known: Known) -> Finding:
    if known.split.leaks and known.split.acceptance:
        return _at(Part.SPLIT, f"{len(known.split.leaks):,} shared pairs were accepted: not disjoint")
    if known.dataset.n_patients:
        return _at(Part.SPLIT, "by patient and by identical pixels")
    return _at(Part.SPLIT, "by identical pixels alone: the dataset names no patients")


# ---- model and training -----------------------------------------------------------------------------------------


def _selection(known: Known) -> Finding:
    if known.own and all(chosen_by(view, known.split) == NO_VALIDATION for view in known.own):
        return Finding("there is no validation partition to choose by")
    return _of_own(Part.MODELS, "what each run chose on held-out images, and by which number", known)


def _updating(known: Known) -> Finding:
    fixed = any((view.folder / CALIBRATOR).exists() for view in known.own)
    said = "a recalibration was fixed before the test was opened" if fixed else "no model was updated or recalibrated"
    return _of_own(Part.MODELS, said, known)


def _threshold(known: Known) -> Finding | None:
    if known.dataset.task is Task.SEGMENTATION:
        return None
    if known.dataset.task is not Task.BINARY:
        return _at(Part.FAILURES, "probabilities, and how they become a decision; no threshold was fitted")
    points = [point for view in known.views if (point := operating_point(view.folder))]
    if not points:
        return Finding("no threshold was fixed before the test")
    rules = " or ".join(dict.fromkeys(point.rule for point in points))
    return _at(Part.RESULTS, f"probabilities; threshold by {rules}, fixed before the test was opened")


def _sealed(known: Known) -> Finding | None:
    if not known.own:
        return None
    return _at(Part.PROVENANCE, f"scores come from the images alone; openings of the test are listed: {known.openings}")


def _predictions(known: Known) -> Finding:
    files = "; the orders of the runs are attached" if known.attached else ""
    return _of_own(Part.PROVENANCE, f"hashes of weights and predictions{files}", known)


def _code(known: Known) -> Finding:
    if not known.attached:
        return Finding("no files are attached: without the orders of the runs no one can repeat them")
    return _at(Part.PROVENANCE, "version of this program; the orders are attached; where to get it is yours to add")


def _audit(known: Known) -> Finding:
    if not known.attached:
        return Finding("no files are attached: only hashes are told, and the numbers cannot be computed again")
    return _at(Part.PROVENANCE, "predictions are attached; “medfm verify” computes the numbers again")


# ---- results ----------------------------------------------------------------------------------------------------


def _performance(known: Known) -> Finding:
    rows = [row for test in known.tests for row in test.evaluations if row.low is not None and row.high is not None]
    if not rows:
        return Finding("no number has an interval")
    return _at(Part.RESULTS, "each number with interval, method, n and events")


def _uncertainty(known: Known) -> Finding:
    found = _performance(known)
    if not found.title or len(known.views) < 2:
        return found
    return _at(Part.RESULTS, f"intervals and their methods{known.also(Part.COMPARISON, 'tests')}")


def _robustness(known: Known) -> Finding:
    if any(test.without_flagged for test in known.tests):
        return _at(Part.RESULTS, "again without images that the leak gate flagged")
    seeds = {(view.spec.card.name, view.spec.adapt, view.spec.shots): set[int]() for view in known.own}
    for view in known.own:
        seeds[view.spec.card.name, view.spec.adapt, view.spec.shots].add(view.spec.seed)
    if any(len(found) > 1 for found in seeds.values()):
        return _at(Part.RESULTS, "runs that differ in their seed alone")
    if any(table.caption.startswith("Cheap models") for table in known.tables(Part.COMPARISON)):
        return _at(Part.COMPARISON, "beside cheap models that see no image in full")
    return Finding("a single seed, and nothing was measured a second way")


def _explanation(known: Known) -> Finding:
    if Part.EXAMPLES not in known.parts or known.has_pictures(Part.EXAMPLES):
        return _at(Part.EXAMPLES, "Grad-CAM, chosen by rule; what the maps are worth is yours to add")
    return Finding("no heat map stands in this report")


def _external(known: Known) -> Finding:
    tables = [table for table in known.tables(Part.EXTERNAL) if table.caption.startswith("Tested on ")]
    if known.elsewhere and (tables or Part.EXTERNAL not in known.parts):
        sites = ", for all and by site" if any(row[1] != "all" for table in tables for row in table.rows) else ""
        return _at(Part.EXTERNAL, f"runs on other datasets, frozen first and recalibrated second{sites}")
    left_out = [table for table in known.tables(Part.FOLDS) if "each left out in turn" in str(table.rows)]
    if left_out:
        return _at(Part.FOLDS, "sites left out in turn within the dataset; no other dataset was tested")
    if known.elsewhere:
        return Finding(f"{known.elsewhere} stored on other datasets; this report does not tell them")
    return Finding("no run of this report was tested on images of another dataset")


def _subgroups(known: Known) -> Finding:
    tables, whole = known.tables(Part.SUBGROUPS), known.also(Part.RESULTS, "the whole")
    if Part.SUBGROUPS not in known.parts or tables:
        declared = any("declared in the protocol" in table.caption for table in tables)
        return _at(Part.SUBGROUPS, f"{'some' if declared else 'none'} fixed beforehand{whole}")
    if known.dataset.task is not Task.BINARY:
        return Finding(f"subgroups are told of tasks with two classes alone{whole}")
    return Finding(f"no covariate was named for subgroups{whole}")


def _clusters(known: Known) -> Finding:
    names = site_names(known.dataset) if known.site_names is None else known.site_names
    if not names:
        return Finding("no site is recorded with the images")
    if known.dataset.task is not Task.BINARY:
        return Finding("sites are recorded, but numbers by site are told of tasks with two classes alone")
    captions = [table.caption for table in known.tables(Part.SUBGROUPS)]
    told = any(caption.startswith(f"By {name},") for caption in captions for name in names)
    if Part.SUBGROUPS not in known.parts or told:
        return _at(Part.SUBGROUPS, "numbers by site")
    return Finding(f"sites are recorded: name “{names[0][:60]}” as a subgroup")


def _errors(known: Known) -> Finding:
    if Part.FAILURES not in known.parts or known.tables(Part.FAILURES):
        return _at(Part.FAILURES, "errors by class and the most confident ones")
    return Finding("the report holds no analysis of errors")


def _cross_table(known: Known) -> Finding:
    if Part.RESULTS not in known.parts or known.has_matrix(Part.RESULTS):
        return _at(Part.RESULTS, "a cross table of each run")
    return Finding("no cross table was drawn for this task")


def site_names(dataset: Dataset) -> tuple[str, ...]:
    """The covariates of a dataset that name a site."""
    recorded = {name for sample in dataset.samples for name in sample.covariates}
    return tuple(sorted(name for name in recorded if _plain(name) in _SITES))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _always(place: Part, said: str, known: Known) -> Finding:
    """A fact that every report of this kind holds, if the section is in it."""
    del known
    return _at(place, said)


RULES: Final[Mapping[str, Rule]] = {
    "purpose": _purpose,
    "objectives": _objectives,
    "goal": _goal,
    "protocol": _protocol,
    "sample_size": _sample_size,
    "source": partial(_stated, "source", "source"),
    "timing": partial(_stated, "reference_timing", "timing of the reference standard"),
    "eligibility": _eligibility,
    "reference": _reference,
    "sampling": _sampling,
    "representative": _representative,
    "preparation": partial(
        _of_own, Part.MODELS, "how images became the model's input; checks of quality are yours to add"
    ),
    "subsets": _subsets,
    "missing": _missing,
    "unscored": _unscored,
    "acquisition": _acquisition,
    "devices": _devices,
    "sites": _sites,
    "characteristics": _characteristics,
    "severity": _severity,
    "alternatives": _alternatives,
    "availability": _availability,
    "flow": partial(_always, Part.DATA, "every step, with what was left out and why"),
    "events": partial(_always, Part.DATA, "images of each class by partition"),
    "partitions": partial(_always, Part.SPLIT, "rule, seed and hash"),
    "disjoint": _disjoint,
    "same_source": partial(_always, Part.SPLIT, "one dataset, divided by a rule: the same setting on both sides"),
    "inputs": partial(_of_own, Part.MODELS, "the image alone, as it was prepared"),
    "model": partial(_of_own, Part.MODELS, "backbone, adaptation, input size, parameters"),
    "software": partial(_of_own, Part.PROVENANCE, "version and device of each run; packages when this was written"),
    "start": partial(_of_own, Part.MODELS, "pretrained weights, or random ones"),
    "training": partial(_of_own, Part.MODELS, "settings and seed of each run"),
    "selection": _selection,
    "ensembles": partial(_of_own, Part.MODELS, "no ensemble: each run is one model"),
    "imbalance": partial(_of_own, Part.MODELS, "what was done against it, if anything"),
    "updating": _updating,
    "threshold": _threshold,
    "sealed": _sealed,
    "predictions": _predictions,
    "specification": partial(
        _of_own, Part.PROVENANCE, "hashes of weights and heads; who may have them is yours to add"
    ),
    "code": _code,
    "audit": _audit,
    "metrics": partial(_always, Part.RESULTS, "each metric with its method"),
    "performance": _performance,
    "uncertainty": _uncertainty,
    "robustness": _robustness,
    "explanation": _explanation,
    "external": _external,
    "subgroups": _subgroups,
    "variation": _subgroups,
    "clusters": _clusters,
    "errors": _errors,
    "cross_table": _cross_table,
    "limitations": partial(_always, Part.LIMITATIONS, "what the stored facts show; the rest is yours to add"),
}
"""By the name that the items of ``resources/report/checklists`` give it."""

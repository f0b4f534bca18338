"""The limitations of a report, written from what the program knows of data, split, runs and openings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Block, Paragraph, Part, Section, Table
from medfm_gui.domain.run import EXTERNAL
from medfm_gui.domain.split import Split
from medfm_gui.domain.threshold import ALIKE, DEFAULT_RULE, RuleOrigin, rule_in_words
from medfm_gui.domain.units import counted, plural
from medfm_gui.workspace import pretraining
from medfm_gui.workspace.evaluating import EvaluationFile, operating_point
from medfm_gui.workspace.report_demographics import SMALLEST
from medfm_gui.workspace.roles import Standing
from medfm_gui.workspace.training import RunView
from medfm_gui.workspace.usefulness import Sampling

FEWEST_OF_A_CLASS = 100
"""Events, and non-events, that a validation is usually asked to have (Vergouwe et al., J Clin Epidemiol 2005)."""
SITES, SCANNERS = "Sites", "Scanners"
_SOURCES = {
    SITES: frozenset({"site", "siteid", "centre", "center", "hospital", "institution", "institutionname"}),
    SCANNERS: frozenset({"manufacturer", "scanner", "manufacturermodelname", "vendor", "device"}),
}
_OWN_WORDS = (
    "These sentences were written by the program from what it knows. What it cannot know (how patients were referred, "
    "how the reference standard was read, what a use in practice would change) remains to be written by the authors."
)

FOLDS = "Folds"
Limit = tuple[str, str]
"""What is limited, and the sentence."""


def limitations(
    views: Sequence[RunView],
    tests: Sequence[EvaluationFile],
    dataset: Dataset,
    split: Split,
    openings: Sequence[EvaluationFile],
    promised: Standing,
    sampling: Sampling,
    outside: Sequence[str] = (),
    elsewhere: Sequence[str] = (),
    folds: Sequence[Limit] = (),
    sources: Mapping[str, int] | None = None,
) -> tuple[Limit, ...]:
    """Every limitation that the stored facts show, the test's size first. An empty answer is no absence of others.

    ``outside`` are the runs whose external tests showed some of these test images; ``elsewhere`` are the datasets that
    the report tells external tests on. With ``folds`` these stand for what is limited of a single test. ``sources``
    stand for the sites and scanners of the dataset where its covariates are not all there (``sources_of``).
    """
    return (
        *(folds or _size(tests, dataset)),
        *_failures(tests),
        *(() if folds else _openings(openings)),
        *_outside(outside),
        *((("Protocol", promised.objection),) if promised.objection else ()),
        *_sampling(dataset, sampling),
        *_sources(sources if sources is not None else sources_of(dataset)),
        *_elsewhere(views, elsewhere),
        *(one for one in _split(dataset, split) if not folds or one[0] != FOLDS),
        *_selection(views, split),
        *_thresholds(views),
        *_seeds(views),
        *_weights(views, dataset),
    )


def limitations_section(found: Sequence[Limit]) -> Section:
    """What is limited and why, and what the program cannot know."""
    blocks: list[Block] = [Table("What the stored facts show.", ("Of what", "Limitation"), tuple(found))]
    return Section(Part.LIMITATIONS.heading, (*blocks, Paragraph(_OWN_WORDS, "small")))


def _size(tests: Sequence[EvaluationFile], dataset: Dataset) -> list[Limit]:
    """Few units of the rarest class, from the rows of the first run: all are of the same images."""
    rows = tests[0].evaluations
    found: list[Limit] = []
    whole = next((row for row in rows if not row.label), rows[0])
    unit = plural(whole.unit)
    rarest = _rarest(rows, whole, dataset)
    if rarest is not None and rarest[1] < FEWEST_OF_A_CLASS:
        name, count = rarest
        told = f"fewer than {SMALLEST}" if 0 < count < SMALLEST else f"{count:,}"
        said = f"The test has {whole.n:,} {unit}, {told} of them {name}. Validations are usually asked for at least "
        found.append(("Size of the test", f"{said}{FEWEST_OF_A_CLASS} of each class: the intervals are wide."))
    elif rarest is None and whole.n < 2 * FEWEST_OF_A_CLASS:
        found.append(("Size of the test", f"The test has {whole.n:,} {unit}: the intervals are wide."))
    if whole.n_patients is not None and whole.n_patients < whole.n:
        said = f"The {whole.n:,} {unit} of the test are of {whole.n_patients:,} patients, so they are not independent; "
        found.append(("Repeated measurements", f"{said}intervals that say so take patients as the unit."))
    return found


def _rarest(rows: Sequence[Evaluation], whole: Evaluation, dataset: Dataset) -> tuple[str, int] | None:
    if dataset.task is Task.BINARY:
        if whole.n_events is None:
            return None
        others = whole.n - whole.n_events
        positive = whole.n_events <= others
        name = next(name for name in dataset.classes if (name == dataset.positive) is positive)
        return f"of the class “{name}”", whole.n_events if positive else others
    counted = {row.label: row.n_events for row in rows if row.label in dataset.classes and row.n_events is not None}
    if not counted:
        return None
    name = min(counted, key=lambda label: counted[label])
    return f"of the class “{name}”", counted[name]


def _failures(tests: Sequence[EvaluationFile]) -> list[Limit]:
    failed = sorted({test.run for test in tests for row in test.evaluations if row.parameters.get("failures")})
    if not failed:
        return []
    return [("Failed images", f"{', '.join(failed)} could not score every test image; each row says how that counted.")]


def _openings(openings: Sequence[EvaluationFile]) -> list[Limit]:
    if len(openings) < 2:
        return []
    said = f"These test images were looked at {len(openings)} times in this workspace: the best of "
    return [("Openings of the test", f"{said}{len(openings)} results on one test set flatters itself.")]


def _outside(runs: Sequence[str]) -> list[Limit]:
    if not runs:
        return []
    tests = f"{counted(len(runs), 'external test')} too, of {', '.join(dict.fromkeys(runs))}"
    said = f"Images of this test were looked at in {tests}"
    return [("External tests on these images", f"{said}: they count as openings.")]


def _sampling(dataset: Dataset, sampling: Sampling) -> list[Limit]:
    found: list[Limit] = []
    if not sampling.sampling:
        said = "How the cases were found is not stated, so the share of each class need not be that of any population: "
        found.append(
            ("Sampling", f"{said}predictive values, accuracy and calibration-in-the-large may not carry over.")
        )
    elif not sampling.is_consecutive:
        found.append(("Sampling", f"The cases are stated to be {sampling.sampling}, not consecutive: the share of each "
                                  "class is not that of a population."))  # fmt: skip
    if dataset.skipped:
        found.append(("Exclusions", f"{len(dataset.skipped):,} files did not become samples; whether they differ from "
                                    "the others in what matters is not known."))  # fmt: skip
    return found


def sources_of(dataset: Dataset) -> dict[str, int]:
    """How many sites and scanners the images name: 0, 1, or 2 for any more."""
    found = {}
    for title, names in _SOURCES.items():
        values = {
            value.strip().casefold()
            for sample in dataset.samples
            for name, value in sample.covariates.items()
            if _plain(name) in names and value.strip()
        }
        found[title] = min(2, len(values))
    return found


def named_sources(title: str, covariates: Mapping[str, str]) -> set[str]:
    """The values of covariates that name a site or a scanner."""
    found = (value.strip().casefold() for name, value in covariates.items() if _plain(name) in _SOURCES[title])
    return set(filter(None, found))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _sources(numbers: Mapping[str, int]) -> list[Limit]:
    found: list[Limit] = []
    for title, word in ((SITES, "site"), (SCANNERS, "scanner or vendor")):
        number = numbers.get(title, 0)
        if not number:
            found.append((title, f"No {word} is recorded with the images: results may be those of a single one."))
        elif number == 1:
            found.append((title, f"All images with a recorded {word} are of a single one."))
    return found


def _elsewhere(views: Sequence[RunView], elsewhere: Sequence[str]) -> list[Limit]:
    """No external test; and what is not known of systems that were not trained here."""
    others = [view.id for view in views if view.spec.adapt == EXTERNAL]
    found: list[Limit] = []
    if elsewhere:
        found.append(("External test", f"The runs were tested on {counted(len(elsewhere), 'other dataset')}: "
                                       f"{', '.join(elsewhere)}. How they do on any other is not known."))  # fmt: skip
    elif len(others) < len(views):
        found.append(("External test", "The runs were tested on images of the dataset that they were trained on; how "
                                       "they do on images from elsewhere is not part of this report."))  # fmt: skip
    if others:
        found.append(("Other systems", f"{', '.join(others)} came as a table of predictions: what those systems were "
                                       "trained on, and whether these images were in it, is not known."))  # fmt: skip
    return found


def _split(dataset: Dataset, split: Split) -> list[Limit]:
    found: list[Limit] = []
    if dataset.n_patients is None:
        found.append(("Patients", "The dataset names no patients: images of one patient may stand on both sides of the "
                                  "split, which makes results look better."))  # fmt: skip
    elif any(sample.patient is None for sample in dataset.samples):
        number = sum(sample.patient is None for sample in dataset.samples)
        found.append(("Patients", f"{number:,} images name no patient, so each counts as a patient of its own."))
    if split.leaks and split.acceptance:
        found.append(("Leaks", f"{len(split.leaks):,} pairs of the same patient or the same pixels stand on two sides "
                               f"of the split. They were accepted: {split.acceptance}"))  # fmt: skip
    if split.dropped:
        found.append(("Leaks", f"{len(split.dropped):,} images were dropped so that no patient and no picture stands "
                               "on two sides."))  # fmt: skip
    if split.fold is not None:
        found.append((FOLDS, f"These numbers are of fold {split.fold} alone, not of the whole cross-validation."))
    return found


def _selection(views: Sequence[RunView], split: Split) -> list[Limit]:
    if not split.sizes["val"]:
        return [("Model selection", "There is no validation partition: settings could not be chosen apart from the "
                                    "training images.")]  # fmt: skip
    chosen = [view.id for view in views if (point := operating_point(view.folder)) and point.fitted_on == "val"]
    if split.sizes["cal"] or not chosen:
        return []
    said = "There is no calibration partition: the validation images chose the epoch or the setting and the threshold "
    return [("Model selection", f"{said}of {', '.join(chosen)} as well, so thresholds suit those images too well.")]


def _thresholds(views: Sequence[RunView]) -> list[Limit]:
    """Rules that nobody chose."""
    taken = [view.id for view in views if view.spec.threshold_from is RuleOrigin.DEFAULT]
    if not taken:
        return []
    said = (
        f"Nobody chose the threshold rule of {', '.join(taken)}: {rule_in_words(DEFAULT_RULE)} is the default, which "
    )
    return [("Threshold rule", f"{said}{ALIKE}. That need not be the balance that a use in practice asks for.")]


def _seeds(views: Sequence[RunView]) -> list[Limit]:
    seeds: defaultdict[tuple[object, ...], set[int]] = defaultdict(set)
    runs: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for view in views:
        spec = view.spec
        if spec.adapt == EXTERNAL:
            continue
        key = (spec.card.name, spec.adapt, spec.from_scratch, spec.shots, spec.fold)
        seeds[key].add(spec.seed)
        runs[key].append(view.id)
    single = [run for key, found in runs.items() if len(seeds[key]) == 1 for run in found]
    found: list[Limit] = []
    if single:
        said = f"{', '.join(single)} {'is' if len(single) == 1 else 'are each'} one training with one seed: the spread "
        found.append(("Seeds", f"{said}from training to training is not part of the intervals."))
    few = [view.id for view in views if view.spec.shots is not None]
    if few:
        found.append(("Labels", f"{', '.join(few)} learnt from a small draw of the training labels; another draw gives "
                                "other numbers."))  # fmt: skip
    return found


def _weights(views: Sequence[RunView], dataset: Dataset) -> list[Limit]:
    found: list[Limit] = []
    scratch = [view.id for view in views if view.spec.from_scratch]
    if scratch:
        found.append(("Weights", f"{', '.join(scratch)} started from random weights, not from a foundation model's: no "
                                 "benefit of pretraining is shown."))  # fmt: skip
    found += [("Pretraining", said) for said in pretraining.warnings(views, dataset)]
    unknown = [view.id for view in views if pretraining.overlap(view, dataset) == "unknown"
               and view.spec.adapt != EXTERNAL]  # fmt: skip
    if unknown:
        found.append(("Pretraining", f"Whether the weights of {', '.join(unknown)} have seen these images before is "
                                     "not known."))  # fmt: skip
    return found

"""The one list of stored metric ids and of methods, with what people read for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Comparison


@dataclass(frozen=True, slots=True)
class MetricName:
    """What a metric is called, its worst-to-best range (None = no bound), and whether more is better."""

    title: str
    low: float | None = 0.0
    high: float | None = 1.0
    higher_is_better: bool = True
    improper: bool = False
    """Shown outside the default view, under “classification, improper” (Van Calster 2025)."""


METRICS: Mapping[str, MetricName] = {
    "auc": MetricName("ROC-AUC"),
    "auc_macro_ovr": MetricName("macro ROC-AUC, one against the rest"),
    "auc_macro_ovo": MetricName("macro ROC-AUC, one against one", improper=True),
    "auc_mean_labels": MetricName("mean ROC-AUC over labels"),
    "auc_cut": MetricName("ROC-AUC at a cut"),
    "average_precision": MetricName("average precision"),
    "average_precision_mean_labels": MetricName("mean average precision over labels"),
    "balanced_accuracy": MetricName("balanced accuracy"),
    "accuracy": MetricName("accuracy", improper=True),
    "sensitivity": MetricName("sensitivity"),
    "specificity": MetricName("specificity"),
    "kappa": MetricName("kappa", low=-1.0),
    "kappa_cohen": MetricName("Cohen's kappa of readers", low=-1.0),
    "kappa_fleiss": MetricName("Fleiss' kappa of readers", low=-1.0),
    "alpha_krippendorff": MetricName("Krippendorff's alpha of readers", low=-1.0),
    "alpha_krippendorff_ordinal": MetricName("Krippendorff's alpha of ratings, ordinal", low=-1.0),
    "kappa_linear": MetricName("kappa, linear weights", low=-1.0),
    "kappa_quadratic": MetricName("kappa, quadratic weights", low=-1.0),
    "grade_error": MetricName("mean absolute grade error", high=None, higher_is_better=False),
    "brier": MetricName("Brier score", higher_is_better=False),
    "dice_case_mean": MetricName("Dice, mean over cases"),
    "iou_case_mean": MetricName("IoU, mean over cases"),
    "nsd_case_mean": MetricName("normalised surface Dice, mean over cases"),
    "hd95_case_mean": MetricName("HD95 (mm), mean over cases", high=None, higher_is_better=False),
    "volume_error_case_mean": MetricName(
        "volume error (mL), mean over cases", low=None, high=None, higher_is_better=False
    ),
    "volume_error_absolute_case_mean": MetricName(
        "absolute volume error (mL), mean over cases", high=None, higher_is_better=False
    ),
    "set_coverage": MetricName("coverage of sets of classes"),
    "set_size": MetricName("mean size of sets of classes", high=None, higher_is_better=False),
    "log_loss": MetricName("log loss", high=None, higher_is_better=False),
    "calibration_in_the_large": MetricName("calibration-in-the-large", low=None, high=None),
    "calibration_slope": MetricName("calibration slope", low=None, high=None),
    "brier_at_prevalence": MetricName("Brier score at the prevalence", higher_is_better=False),
    "ppv": MetricName("positive predictive value"),
    "npv": MetricName("negative predictive value"),
    "ece": MetricName("expected calibration error", higher_is_better=False, improper=True),
}

METHODS: Mapping[str, str] = {
    "newcombe": "Newcombe's score interval (2006, method 5)",
    "newcombe-patients": "Newcombe's score interval (2006, method 5) with patients for n",
    "delong": "DeLong",
    "delong-logit": "DeLong on the logit scale",
    "obuchowski": "Obuchowski's clustered variance (1997) on the logit scale",
    "bootstrap": "percentile bootstrap",
    "clustered-bootstrap": "percentile bootstrap of patients",
    "wilson": "Wilson",
    "wilson-patients": "Wilson with patients for n",
    "logit-predictive": "logit of the predictive value (Mercaldo 2007)",
    "logistic-wald": "logistic regression, Wald",
    "logistic-clustered": "logistic regression, sandwich clustered by patient",
    "quantile-bins": "equally filled bins",
    "bootstrap-within-folds": "percentile bootstrap of patients within folds",
    "pooled-calibrated-folds": "bootstrap of patients within folds, each fold calibrated by its own",
    "mean": "mean",
    "fold-values": "values within folds",
    "t-seeds": "t over seeds",
    "seeds-patients": "bootstrap of seeds and patients",
    "wald-areas-delong": "Wald χ² of equal areas in all subgroups, DeLong's variances on the logit scale",
    "wald-areas-bootstrap": "Wald χ² of equal areas in all subgroups, covariance of the patient bootstrap, logit scale",
    "mcnemar-mid-p": "McNemar mid-p",
    "wilcoxon-hodges-lehmann": "Wilcoxon signed-rank with the Hodges–Lehmann shift",
    "nadeau-bengio": "Nadeau–Bengio corrected resampled t",
    "max-t-bootstrap": "max-t of a bootstrap of patients (Westfall & Young 1993)",
    "bonferroni": "Bonferroni, each interval by the method of its own test",
    "mover": "square-and-add of the two intervals",
    "not-estimable": "not estimable",
}

_HEADLINES: Mapping[Task, str] = {
    Task.BINARY: "auc",
    Task.MULTICLASS: "auc_macro_ovr",
    Task.ORDINAL: "kappa_quadratic",
    Task.MULTILABEL: "auc_mean_labels",
    Task.SEGMENTATION: "dice_case_mean",
}


def multiplicity(pairs: Sequence[Comparison]) -> str:
    """How the intervals beside Holm's p have to be read, for the tests of one table; empty where none is adjusted.

    Where simultaneous intervals do not exist (files of earlier versions, differences that do not vary) it says that
    the intervals are unadjusted.
    """
    families = Counter((pair.metric, pair.parameters.get("failures", "")) for pair in pairs if pair.p is not None)
    several = [pair for pair in pairs if families[pair.metric, pair.parameters.get("failures", "")] > 1]
    several = [pair for pair in several if pair.p is not None and pair.low is not None]
    if not several:
        return ""
    methods = sorted({method_title(pair.simultaneous_method) for pair in several if pair.simultaneous_method})
    if not methods:
        return "Intervals are unadjusted for multiplicity."
    said = f"Simultaneous intervals hold together over all comparisons of one metric: {'; '.join(methods)}."
    lacking = sum(not pair.simultaneous_method for pair in several)
    return f"{said} {lacking} of {len(several)} have none: their intervals are unadjusted." if lacking else said


def headline(task: Task) -> str:
    """The stored id of the number that stands first for a task."""
    return _HEADLINES[task]


def metric_title(metric: str, label: str = "") -> str:
    """What people read for a stored id, with the class it speaks of; an unknown id is its own title."""
    title = METRICS[metric].title if metric in METRICS else metric
    return f"{title}: {label}" if label else title


def method_title(method: str) -> str:
    """What people read for a method's id; an unknown id is its own title."""
    return METHODS.get(method, method)

"""The public surface of ``medfm_gui.metrics``, called as anyone would call it, and beside R where R is installed."""

from __future__ import annotations

import importlib
import inspect
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import medfm_gui.metrics
from medfm_gui.domain.errors import MedfmError
from medfm_gui.metrics import auc_interval, delong_test
from medfm_gui.metrics.estimate import Interval, PairedTest
from medfm_gui.metrics.names import METHODS

RSCRIPT = shutil.which("Rscript")
KINDS = [tuple("aabbcc"), np.array(list("aabbcc")), [0, 0, 1, 1, 2, 2], np.repeat([0, 1, 2], 2)]
LABELS = [0, 1, 0, 1, 1, 0]
SCORES = [0.1, 0.9, 0.4, 0.35, 0.8, 0.2]


def test_the_surface_is_what_it_says_and_costs_nothing_before_it_is_used() -> None:
    for name in medfm_gui.metrics.__all__:
        found = getattr(medfm_gui.metrics, name)
        assert inspect.getdoc(found), name
    assert dir(medfm_gui.metrics) == sorted(medfm_gui.metrics.__all__)
    with pytest.raises(AttributeError):
        medfm_gui.metrics.auc_of_everything  # noqa: B018
    code = "import sys, medfm_gui.metrics; sys.exit('scipy' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_signatures_are_kept() -> None:
    given_ = inspect.signature(auc_interval).parameters
    assert list(given_)[:5] == ["labels", "scores", "confidence", "method", "groups"]
    assert [given_[name].default for name in ("confidence", "method", "groups")] == [0.95, "auto", None]
    assert list(inspect.signature(delong_test).parameters)[:4] == ["labels", "scores_a", "scores_b", "groups"]
    assert {"estimate", "low", "high"} <= {*Interval.__slots__}
    assert {"difference", "low", "high", "statistic", "p_value", "method"} <= {*PairedTest.__slots__}


@pytest.mark.parametrize("labels", [LABELS, tuple(LABELS), np.array(LABELS), np.array(LABELS, bool)])
def test_labels_and_scores_of_every_kind_say_the_same(labels: Any) -> None:
    wanted = auc_interval(LABELS, SCORES)
    for scores in (SCORES, tuple(SCORES), np.array(SCORES), np.array(SCORES, np.float64)[:, None].ravel()):
        assert auc_interval(labels, scores) == wanted
    assert auc_interval(labels, np.array(SCORES, np.float16)).estimate == wanted.estimate


@pytest.mark.parametrize("groups", KINDS)
def test_patients_of_every_kind_are_the_same_patients(groups: Any) -> None:
    found = auc_interval(LABELS, SCORES, groups=groups)
    assert found == auc_interval(LABELS, SCORES, groups=list("aabbcc")) and found.method == "clustered-bootstrap"
    assert delong_test(LABELS, SCORES, SCORES[::-1], groups=groups).method != "delong"


@pytest.mark.parametrize("unknown", [None, "", float("nan")])
def test_an_unknown_patient_is_nobodys_unit(unknown: Any) -> None:
    assert auc_interval(LABELS, SCORES, groups=[unknown] * 6) == auc_interval(LABELS, SCORES)


@pytest.mark.parametrize(
    ("labels", "scores", "more"),
    [
        (["0", "1"] * 3, SCORES, {}),
        ([0, 1, 2, 0, 1, 1], SCORES, {}),
        ([-1, 1] * 3, SCORES, {}),
        ([None] * 6, SCORES, {}),
        ([float("nan")] * 6, SCORES, {}),
        ([[0, 1], [1]], SCORES, {}),
        (LABELS, SCORES[:5], {}),
        (LABELS, ["high"] * 6, {}),
        (LABELS, [1j] * 6, {}),
        (LABELS, np.full(6, 1j), {}),
        (LABELS, [0.1, [0.2], 0.3, 0.4, 0.5, 0.6], {}),
        (LABELS, [*SCORES[:5], float("nan")], {}),
        (LABELS, [*SCORES[:5], float("inf")], {}),
        (LABELS, SCORES, {"groups": ["a"]}),
        (LABELS, SCORES, {"groups": 5}),
        (LABELS, SCORES, {"groups": np.array([["a", "b"]] * 6)}),
        (LABELS, SCORES, {"confidence": 0}),
        (LABELS, SCORES, {"confidence": 1}),
        (LABELS, SCORES, {"confidence": float("nan")}),
        (LABELS, SCORES, {"confidence": "high"}),
        (LABELS, SCORES, {"method": "wald"}),
    ],
)
def test_what_is_no_data_gets_a_sentence(labels: Any, scores: Any, more: dict[str, Any]) -> None:
    for call in (lambda: auc_interval(labels, scores, **more), lambda: delong_test(labels, scores, scores, **more)):
        with pytest.raises(MedfmError) as said:
            call()
        assert said.value.message.endswith(".") and said.value.hint


_UNITS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 0.5, 1.0])),
        st.floats(0, 1),
        st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["", "P1", "<b>", "م"])),
    ),
    max_size=24,
)


@given(units=_UNITS, clustered=st.booleans())
@settings(max_examples=60, deadline=None)
def test_degenerate_data_give_a_number_or_none_and_never_an_error(units: list[Any], clustered: bool) -> None:
    labels, a, b, who = (list(column) for column in zip(*units, strict=True)) if units else ([], [], [], [])
    groups = who if clustered else None
    one = auc_interval(labels, a, groups=groups)
    both = delong_test(labels, a, b, groups=groups)
    assert one.method in METHODS and both.method in METHODS and one.n == len(labels)
    if len(set(labels)) < 2:
        assert one.estimate is one.low is one.high is both.difference is both.p_value is None
        return
    assert one.estimate is not None and 0 <= one.estimate <= 1
    if one.low is not None and one.high is not None:
        assert 0 <= one.low <= one.high <= 1 and (clustered or one.low <= one.estimate + 1e-12 <= one.high + 2e-12)
    assert both.difference is not None and -1 <= both.difference <= 1
    if both.p_value is not None:
        assert 0 <= both.p_value <= 1 and both.statistic is not None and math.isfinite(both.statistic)


R_CODE = """
suppressPackageStartupMessages(library(pROC)); a <- commandArgs(TRUE); d <- read.csv(a[1])
ra <- roc(d$y, d$a, levels=c(0,1), direction="<"); rb <- roc(d$y, d$b, levels=c(0,1), direction="<")
t <- roc.test(ra, rb, method="delong", paired=TRUE); i <- ci.auc(ra, method="delong")
cat(sprintf("%.17g ", c(auc(ra), auc(rb), i[1], i[3], t$statistic, t$p.value, t$conf.int)))
"""


@pytest.mark.skipif(RSCRIPT is None, reason="R is not installed")
@pytest.mark.parametrize(("n", "events", "digits"), [(50_000, 5_000, 6), (400, 40, 1), (90, 2, 6)])
def test_the_same_numbers_as_proc_on_new_draws(tmp_path: Path, n: int, events: int, digits: int) -> None:
    random = np.random.default_rng(n)
    labels = (np.arange(n) < events).astype(int)
    a = np.round(random.normal(size=n) + labels, digits)
    b = np.round(random.normal(size=n) + 0.6 * labels, digits)
    np.savetxt(tmp_path / "d.csv", np.column_stack([labels, a, b]), delimiter=",", header="y,a,b", comments="")
    assert RSCRIPT is not None
    ran = subprocess.run([RSCRIPT, "-e", R_CODE, str(tmp_path / "d.csv")], capture_output=True, text=True, check=False)
    if "there is no package" in ran.stderr:
        pytest.skip("R has no pROC")
    said = [float(word) for word in ran.stdout.split()]
    one, both = auc_interval(labels, a, method="delong"), delong_test(labels, a, b)
    assert both.difference is not None
    found = [one.estimate, one.estimate - both.difference, one.low, one.high]  # type: ignore[operator]
    found += [both.statistic, both.p_value, both.low, both.high]
    assert found == pytest.approx(said, abs=1e-6)


def test_every_module_and_public_function_says_what_it_does() -> None:
    for file in sorted(Path(medfm_gui.metrics.__file__).parent.glob("*.py")):
        module = importlib.import_module(f"medfm_gui.metrics.{file.stem}".removesuffix(".__init__"))
        assert inspect.getdoc(module), file.stem
        for name, found in vars(module).items():
            own = inspect.isfunction(found) or inspect.isclass(found)
            if own and found.__module__ == module.__name__ and not name.startswith("_"):
                assert inspect.getdoc(found), f"{file.stem}.{name}"

"""Text from files and people is only ever text: it comes back as it was and changes nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from medfm_gui.domain.run import RunState
from medfm_gui.store import queries
from medfm_gui.store.rows import SampleFilter
from medfm_gui.store.store import Store

if TYPE_CHECKING:
    from tests.unit.store.conftest import Facts

HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=()), min_size=1, max_size=30),
    st.sampled_from(
        [
            "'; DROP TABLE runs; --",
            '"); DELETE FROM samples; --',
            "%",
            "_",
            "?1",
            ":id",
            "NULL",
            "1e400",
            "nan",
            "$[0]",
            "a\0b",
            "\u202egnp.exe",
            "\x1b[31m",
            "\ud800",
            "caf\udce9",
            "../../../etc/passwd",
            "x" * 100_000,
        ]
    ),
)
once_a_store = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@once_a_store
@given(text=HOSTILE)
def test_a_sample(store: Store, facts: Facts, tmp_path: Path, text: str) -> None:
    plain = facts.dataset()
    odd = replace(plain.samples[0], id=text, path=text, patient=text, group=text, fold=text, covariates={text: text})
    dataset = replace(plain, id=text, name=text, source=text, samples=(odd, *plain.samples[1:]), warnings=(text,))
    store.put_dataset(dataset, tmp_path / "d")
    with store.reading() as reader:
        row = queries.dataset(reader, text)
        assert (row.id, row.name, row.source, row.warnings) == (text, text, text, (text,))
        assert queries.samples_page(reader, text).samples == dataset.samples
        only = SampleFilter(patient=text, text=text)
        assert queries.samples_page(reader, text, only=only).samples == (odd,)


@once_a_store
@given(text=HOSTILE)
@example(text="r0001")
def test_a_run_and_its_results(store: Store, facts: Facts, tmp_path: Path, text: str) -> None:
    store.put_run(replace(facts.spec(text), dataset_id=text, preset=text), tmp_path / "r")
    state = RunState(message=text, hint=text, warnings=(text,), files={text: text}, metrics={text: 0.5})
    store.record_events(text, [facts.epoch(1, **{text: 0.5})], state)
    store.put_predictions(text, text, [text], facts.scores(1), [(0,)])
    evaluation = replace(
        facts.evaluation(text), subset=text, metric=text, label=text, parameters={text: text}, note=text
    )
    store.put_evaluations([evaluation])
    store.put_comparisons([replace(facts.comparison(text, text), note=text)])
    store.put_opening(text, text, text, text, text)
    store.flush()
    with store.reading() as reader:
        row = queries.run(reader, text)
        assert (row.dataset, row.preset, row.state) == (text, text, state)
        assert queries.curve(reader, text)[0].metrics == {text: 0.5}
        assert queries.predictions(reader, text, text).samples == (text,)
        assert queries.evaluations(reader, [text], text) == (evaluation,)
        assert queries.comparisons(reader, [text])[0].note == text
        assert queries.openings(reader, run_id=text, sample_set=text)[0].reason == text


@once_a_store
@given(text=HOSTILE)
def test_a_study_and_the_journal(store: Store, facts: Facts, tmp_path: Path, text: str) -> None:
    plain = facts.study(text)
    series = replace(plain.series[0], description=text, warnings=(text,))
    store.put_study(replace(plain, patient=text, description=text, series=(series,)), tmp_path / "s")
    store.put_study_prediction(text, 0, study=text, run=text, created=text, prediction=text)
    store.put_chart(text, replace(facts.chart(text), title=text))
    store.journal(text, text, text, {text: text})
    with store.reading() as reader:
        (row,) = [row for row in queries.studies(reader) if row.uid == text]
        assert (row.patient, row.description, row.series[0].warnings) == (text, text, (text,))
        assert queries.study_predictions(reader, text)[0].outcome == text
        assert queries.journal(reader, subject=text)[0].details == {text: text}
        assert len(queries.charts(reader, text)) == 1

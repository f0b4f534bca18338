"""Numbers that hold: protocol, journal, verification, repeats, models that come back in."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sqlite_utils import Database

from medfm_gui.base.settings import Settings
from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.portable_in import import_model
from medfm_gui.workspace.verifying import Verification
from medfm_gui.workspace.verifying_files import verify
from tests.fixtures.command import Medfm, medfm_in

PROTOCOL = """
question = "Is a vote of neighbours as good as a linear probe?"
population = "simulated adults"
unit = "image"
reference_standard = "the simulation"
primary_metric = "ROC-AUC"
primary_comparison = "knn versus linear"
margin = 0.05
threshold_rule = "youden"
subgroups = ["sex"]
n = 14
dataset = "thorax"
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, phantom: Path) -> Medfm:
    """Two runs under a protocol, tested, compared, reported, exported."""
    medfm = medfm_in(tmp_path_factory.mktemp("trust"))
    here = medfm.workspace.parent
    table = ("--table", phantom / "labels.csv", "--label", "nodule", "--positive", "nodule", "--name", "thorax")
    medfm.json("import", "dicom", phantom / "radiographs", *table)
    medfm.json("split", "thorax", "--ratios", "50/20/30")
    (here / "p.toml").write_text(PROTOCOL, encoding="utf-8")
    assert medfm.json("protocol", "lock", here / "p.toml")["opening"] == "before"
    adapted = ("--adapt", "linear", "--adapt", "knn", "--set", "k=5")
    medfm.json("train", "--dataset", "thorax", "--model", "efficientnet-lite0", *adapted)
    rows = medfm.json("evaluate", "r0001", "r0002", "--open-test", "the plan")["evaluations"]
    assert [(row["run"], row["metric"]) for row in rows if row["role"] == "primary"] == [
        ("r0001", "auc"),
        ("r0002", "auc"),
    ]
    medfm.json("report", "r0001", "r0002", "--out", here / "r.pdf")
    medfm.json("predictions", "r0001", "--out", here / "p.csv")
    medfm.json("model", "export", "r0001", "--out", here / "m.medfm")
    return medfm


@pytest.fixture
def copied(opened: Medfm, tmp_path: Path) -> Path:
    """A copy of the workspace to be tampered with."""
    return Path(shutil.copytree(opened.workspace, tmp_path / "workspace"))


def verified(root: Path, subject: str | Path) -> Verification:
    with open_workspace(root, settings=Settings()) as workspace:
        return verify(workspace, str(subject))


def test_all_is_as_it_was_written(opened: Medfm) -> None:
    here = opened.workspace.parent
    for subject in ("r0001", "r0002", here / "p.csv", here / "m.medfm"):
        found = verified(opened.workspace, subject)
        assert found.ok and found.checked > 0, subject
    report = opened.json("verify", here / "r.pdf")
    assert report["ok"] and report["differences"] == [] and report["known"] == "yes"
    journal = opened.json("verify", "journal")
    assert journal["ok"] and len(journal["head"]) == 64
    assert opened.refused("verify", "r0009")["kind"] == "not_found"


def test_the_report_tells_the_protocol_and_the_journal(opened: Medfm) -> None:
    reader = pypdf.PdfReader(opened.workspace.parent / "r.pdf")
    text = "".join(page.extract_text() for page in reader.pages).replace("\u200b", "").replace("\n", "")
    locked = json.loads(reader.attachments["protocol.json"][0])
    assert locked["sha256"] in text and "(primary)" in text and "before the test was opened" in text
    assert "Journal head (SHA-256)" in text and "accidental change" in text
    assert "non-inferior" in text
    words = b"".join(item[0] for item in reader.attachments.values())
    assert str(opened.workspace.parent).encode() not in words and b"P-" not in words


def test_a_protocol_is_locked_once_and_late_ones_are_exploratory(opened: Medfm, tmp_path: Path) -> None:
    again = opened.json("protocol", "lock", opened.workspace.parent / "p.toml")
    assert not again["is_new"] and again["opening"] == "before"
    (tmp_path / "late.toml").write_text(PROTOCOL.replace("0.05", "0.2"), encoding="utf-8")
    late = opened.json("protocol", "lock", tmp_path / "late.toml")
    assert late["opening"] == "after" and "Locked after opening: exploratory" in late["sentence"]
    assert opened.json("compare", "r0001", "r0002")["protocol"]["protocol"] == again["protocol"]


def test_a_changed_line_of_the_journal_is_named(opened: Medfm, copied: Path) -> None:
    journal = copied / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:2], lines[2].replace(b"protocol", b"protokol", 1), *lines[3:]]))
    (found,) = verified(copied, "journal").differences
    assert (found.kind, found.line) == ("changed", 3)
    done = Medfm(copied, opened.environment).run("verify", "journal", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["differences"][0]["line"] == 3
    assert "Line 3 of the journal was changed" in done.stderr and "Traceback" not in done.stderr


def test_a_past_that_was_written_anew_does_not_agree_with_the_report(copied: Path) -> None:
    import hashlib

    journal = copied / "journal.jsonl"
    entries = [json.loads(line) for line in journal.read_bytes().splitlines()]
    entries[3]["details"]["model"] = "another"
    last, lines = "", []
    for entry in entries:
        line = json.dumps({**entry, "previous": last}, separators=(",", ":"), ensure_ascii=False).encode()
        last = hashlib.sha256(line).hexdigest()
        lines.append(line + b"\n")
    journal.write_bytes(b"".join(lines))
    found = verified(copied, "journal").differences
    assert any("its past was changed" in item.message for item in found)


def _database(root: Path) -> None:
    database = Database(str(root / "medfm.sqlite"))
    database.execute("UPDATE evaluations SET value = value + 0.01 WHERE run = 'r0001' AND metric = 'auc'")
    database.conn.commit()
    database.close()


def _threshold(root: Path) -> None:
    path = root / "runs" / "r0001" / "operating_point.json"
    path.write_text(path.read_text().replace('"threshold": 0.', '"threshold": 0.0'))


def _stored_row(root: Path) -> None:
    path = root / "evaluations" / "r0001-test.json"
    file = json.loads(path.read_text())
    file["evaluations"][0]["value"] += 0.01
    path.write_text(json.dumps(file))


def _scores(root: Path) -> None:
    shutil.copyfile(root / "predictions/r0002-test/test.npz", root / "predictions/r0001-test/test.npz")


def _order(root: Path) -> None:
    path = root / "runs" / "r0001" / "spec.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))


def _gone(root: Path) -> None:
    (root / "runs" / "r0001" / "weights" / "head.safetensors").unlink()


@pytest.mark.parametrize(
    ("tamper", "where", "kind"),
    [
        (_database, "database, r0001 auc value", "differs"),
        (_threshold, "runs/r0001/operating_point.json", "changed"),
        (_stored_row, "r0001 auc value", "differs"),
        (_scores, "predictions/r0001-test/test.npz", "changed"),
        (_order, "runs/r0001/spec.json", "changed"),
        (_gone, "runs/r0001/weights/head.safetensors", "missing"),
    ],
)
def test_what_was_changed_of_a_run_is_named(
    copied: Path, tamper: Callable[[Path], None], where: str, kind: str
) -> None:
    tamper(copied)
    found = verified(copied, "r0001")
    assert not found.ok
    assert (where, kind) in {(item.where, item.kind) for item in found.differences}
    assert all(item.message for item in found.differences)


def _with_attachment(source: Path, out: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    reader = pypdf.PdfReader(source)
    writer = pypdf.PdfWriter()
    for page in reader.pages:
        writer.add_page(page)
    for one, contents in reader.attachments.items():
        writer.add_attachment(one, change(contents[0]) if one == name else contents[0])
    writer.write(out)
    return out


def _swap_scores(raw: bytes) -> bytes:
    head, first, *rest = raw.decode().splitlines()
    *cells, no, yes = first.split(",")
    return "\n".join([head, ",".join([*cells, yes, no]), *rest, ""]).encode()


def _better_auc(raw: bytes) -> bytes:
    rows = json.loads(raw)
    rows[0]["value"] = 0.999
    return json.dumps(rows).encode()


def _other_pair(raw: bytes) -> bytes:
    file = json.loads(raw)
    file["pairs"][0]["p"] = 0.0001
    return json.dumps(file).encode()


@pytest.mark.parametrize(
    ("name", "change", "where"),
    [
        ("predictions-r0001.csv", _swap_scores, "r0001 brier value"),
        ("results.json", _better_auc, "r0001 auc value"),
        ("comparison.json", _other_pair, "r0002 − r0001 auc p"),
        ("split.csv", lambda raw: raw.replace(b",test,", b",test,0"), "r0001 test images (SHA-256)"),
        ("predictions-r0002.csv", lambda raw: b"not a table", "predictions-r0002.csv"),
    ],
)
def test_a_report_that_was_changed_is_found_out(
    opened: Medfm, tmp_path: Path, name: str, change: Callable[[bytes], bytes], where: str
) -> None:
    forged = _with_attachment(opened.workspace.parent / "r.pdf", tmp_path / "forged.pdf", name, change)
    found = verified(opened.workspace, forged)
    places = {item.where for item in found.differences}
    assert where in places and name in places, places
    assert found.facts["known"] == "no"


def test_pages_that_show_other_numbers_than_the_rows_are_found_out(opened: Medfm, tmp_path: Path) -> None:
    forged = _with_attachment(opened.workspace.parent / "r.pdf", tmp_path / "f.pdf", "results.json", _better_auc)
    shown = [item.message for item in verified(opened.workspace, forged).differences]
    assert any("Results" in text and "by the attached files it is 0.999" in text for text in shown), shown


@pytest.mark.parametrize("name", ["not.pdf", "empty.pdf", "cut.pdf"])
def test_what_is_no_report_gets_a_sentence(opened: Medfm, tmp_path: Path, name: str) -> None:
    whole = (opened.workspace.parent / "r.pdf").read_bytes()
    (tmp_path / name).write_bytes({"not.pdf": b"hello", "empty.pdf": b"", "cut.pdf": whole[: len(whole) // 2]}[name])
    with pytest.raises(InputError, match=name):
        verified(opened.workspace, tmp_path / name)


def test_a_changed_table_of_predictions_is_named_by_its_line(opened: Medfm, tmp_path: Path) -> None:
    lines = (opened.workspace.parent / "p.csv").read_text().splitlines()
    lines[4] = lines[4].replace("nodule", "healthy")
    (tmp_path / "p.csv").write_text("\n".join(lines) + "\n")
    (found,) = verified(opened.workspace, tmp_path / "p.csv").differences
    assert (found.kind, found.line) == ("changed", 5)
    (tmp_path / "q.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="did not export"):
        verified(opened.workspace, tmp_path / "q.csv")


def test_a_run_repeats_to_the_last_bit(opened: Medfm) -> None:
    found = opened.json("rerun", "r0001", "--open-test", "the same numbers?")
    (run,) = found["runs"]
    assert found["equal"] and run["equal"] and run["repeats"] == "r0001" and run["run"] != "r0001"
    assert run["state"] == "finished" and run["compared"] > 15 and run["differences"] == []


def test_a_report_repeats_too_where_its_data_are(opened: Medfm, tmp_path: Path) -> None:
    found = opened.json("rerun", opened.workspace.parent / "r.pdf")
    assert [run["repeats"] for run in found["runs"]] == ["r0001", "r0002"] and found["equal"]
    elsewhere = Medfm(tmp_path / "empty", opened.environment)
    refused = elsewhere.refused("rerun", opened.workspace.parent / "r.pdf")
    assert refused["kind"] == "not_found" and "are not in this workspace" in refused["message"]


def test_a_model_goes_to_another_workspace_and_says_the_same(opened: Medfm, phantom: Path, tmp_path: Path) -> None:
    away = Medfm(tmp_path / "away", opened.environment)
    made = away.json("model", "import", opened.workspace.parent / "m.medfm")
    assert made["run"] == "r0001" and made["dataset"] == "" and made["licence"] == "Apache-2.0"
    (row,) = away.json("runs")["runs"]
    assert row["imported"] == "m.medfm" and row["state"] == "finished" and row["metrics"]["auc"] > 0
    image = phantom / "radiographs" / "0000" / "1.dcm"
    (here,) = opened.json("predict", image, "--run", "r0001")["predictions"]
    (there,) = away.json("predict", image, "--run", "r0001")["predictions"]
    assert {**here["classes"]} == pytest.approx(there["classes"], abs=1e-6)
    assert (here["threshold"], here["decision"]) == (there["threshold"], there["decision"])
    assert away.json("verify", "journal")["ok"] and away.json("verify", "r0001")["ok"]
    assert away.refused("rerun", "r0001")["kind"] == "usage_error"
    assert away.refused("evaluate", "r0001", "--open-test", "?")["kind"] == "not_found"
    assert away.json("rebuild")["runs"] == 1
    assert away.json("runs")["runs"][0]["imported"] == "m.medfm"


def _rewritten(source: Path, out: Path, **changes: Any) -> Path:
    """The same model's file with other members; None leaves one out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", changes.pop("how", zipfile.ZIP_STORED)) as new:
        for name in old.namelist():
            raw = changes.get(name, old.read(name))
            if raw is not None:
                new.writestr(name, raw)
        for name in set(changes) - set(old.namelist()):
            new.writestr(name, changes[name])
    return out


@pytest.mark.parametrize(
    "case", ["head", "card", "order", "lacks", "traversal", "compressed", "newer", "twice", "nothing", "unknown"]
)
def test_a_model_that_was_tampered_with_is_refused(opened: Medfm, tmp_path: Path, case: str) -> None:
    import hashlib

    source, out = opened.workspace.parent / "m.medfm", tmp_path / "t.medfm"
    with zipfile.ZipFile(source) as archive:
        card, order = json.loads(archive.read("card.json")), archive.read("spec.json")
    strange = order.replace(b'"name": "efficientnet-lite0"', b'"name": "no-such-model"')
    files = {**card["files"], "spec.json": hashlib.sha256(strange).hexdigest()}
    match case:
        case "head":
            _rewritten(source, out, **{"weights/head.safetensors": b"\0" * 64})
        case "card":
            _rewritten(source, out, **{"card.json": json.dumps({**card, "classes": ["a", "b"]})})
        case "order":
            _rewritten(source, out, **{"spec.json": order + b" "})
        case "lacks":
            _rewritten(source, out, **{"weights/head.json": None})
        case "traversal":
            _rewritten(source, out, **{"../../evil.py": b"x"})
        case "compressed":
            _rewritten(source, out, how=zipfile.ZIP_DEFLATED)
        case "newer":
            _rewritten(source, out, **{"card.json": json.dumps({**card, "format": 2})})
        case "twice":
            shutil.copyfile(source, out)
            with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr("card.json", json.dumps(card))
        case "nothing":
            out.write_bytes(b"PK")
        case "unknown":
            unknown = {**card, "model": "no-such-model", "files": files}
            _rewritten(source, out, **{"card.json": json.dumps(unknown), "spec.json": strange})
    before = sorted((opened.workspace / "runs").iterdir())
    with (
        open_workspace(opened.workspace, settings=Settings()) as workspace,
        pytest.raises(NotFound if case == "unknown" else InputError, match="medfm"),
    ):
        import_model(workspace, out)
    assert sorted((opened.workspace / "runs").iterdir()) == before

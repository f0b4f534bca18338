from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "installer" / "bootstrap.py"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def boot() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


class Tools:
    """Stands for pip and venv: remembers what was run, and ends with ``status``."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.status = 0
        self.last = ["one", "two"]

    def told(self, command: list[str], folder: Path, **_: Any) -> tuple[int, list[str]]:
        self.commands.append(list(command))
        if "venv" in command and not self.status:
            make_interpreter(folder / ".venv")
        return self.status, self.last

    @property
    def installed(self) -> list[str]:
        return [command[-1] for command in self.commands if "install" in command]


def make_interpreter(folder: Path) -> None:
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    python.unlink(missing_ok=True)
    python.symlink_to(sys.executable)


@pytest.fixture
def tools(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Tools:
    if os.name != "posix":
        pytest.skip("makes an interpreter by a symbolic link")
    made = Tools()
    monkeypatch.setattr(boot, "told", made.told)
    monkeypatch.setattr(boot, "check_disk", lambda root, needed: None)
    return made


def no_extras() -> frozenset[str]:
    return frozenset()


# ---- what an old Python meets -----------------------------------------------------------------------


def test_an_old_python_can_read_it() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_only_the_standard_library_is_used() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


def test_least_python_is_the_project_s(boot: ModuleType) -> None:
    assert PYPROJECT["project"]["requires-python"] == f">={boot.MINIMUM[0]}.{boot.MINIMUM[1]}"


def test_python_of_today_is_accepted(boot: ModuleType) -> None:
    boot.check_python((3, 11, 0), "CPython", 2**63 - 1)
    boot.check_python((4, 0, 0), "CPython", 2**63 - 1)


@pytest.mark.parametrize(
    ("version", "implementation", "largest", "why"),
    [
        ((3, 8, 18), "CPython", 2**63 - 1, r"needs Python 3\.11 or newer; this is Python 3\.8\.18\. Run it with py3"),
        ((3, 12, 0), "PyPy", 2**63 - 1, "needs CPython"),
        ((3, 12, 0), "CPython", 2**31 - 1, "64-bit"),
    ],
)
def test_other_pythons_are_refused(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch, version: Any, implementation: str, largest: int, why: str
) -> None:
    monkeypatch.setattr(boot, "newer_python", lambda: "py3")
    with pytest.raises(boot.Trouble, match=why):
        boot.check_python(version, implementation, largest)


def test_a_newer_python_is_named_only_if_it_runs(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot.shutil, "which", lambda name: name)
    monkeypatch.setattr(boot, "answers", lambda command: command[0] == "python3.12")
    assert boot.newer_python() == "python3.12"
    monkeypatch.setattr(boot, "answers", lambda command: False)
    assert boot.newer_python() is None


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["dance"], 2), (["--help"], 0)])
def test_usage_goes_to_stderr(
    boot: ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    assert boot.main(arguments) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert "bootstrap.py demo" in said.err


# ---- system libraries -------------------------------------------------------------------------------


def test_libraries_that_nobody_knows_are_missing(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot.ctypes.util, "find_library", lambda name: "libGL.so.1" if name == "GL" else None)
    missing = boot.missing_libraries(frozenset({"libEGL.so.1"}))
    assert {"libEGL.so.1", "libGL.so.1"}.isdisjoint(library.file for library in missing)
    assert "libxcb-cursor.so.0" in {library.file for library in missing}
    assert boot.missing_libraries(frozenset(library.file for library in boot.QT_LIBRARIES)) == ()


def test_missing_libraries_are_a_warning_with_the_line_to_type(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boot, "known_libraries", frozenset)
    monkeypatch.setattr(boot, "missing_libraries", lambda known: boot.QT_LIBRARIES[:2])
    boot.warn_of_missing_libraries("linux")
    said = capsys.readouterr()
    assert said.out == ""
    assert "sudo apt-get install -y libegl1 libgl1" in said.err
    boot.warn_of_missing_libraries("darwin")
    assert capsys.readouterr().err == ""


def test_the_linker_s_cache_is_read(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = b"1 libs found\n\tlibGL.so.1 (libc6,x86-64) => /lib/libGL.so.1\nCache generated by: ldconfig\n"
    done = subprocess.CompletedProcess([], 0, listing)
    monkeypatch.setattr(boot.shutil, "which", lambda name, path=None: "/sbin/ldconfig")
    monkeypatch.setattr(boot.subprocess, "run", lambda *_, **__: done)
    assert boot.known_libraries() == {"libGL.so.1"}
    monkeypatch.setattr(boot.shutil, "which", lambda name, path=None: None)
    assert boot.known_libraries() == frozenset()


# ---- the environment --------------------------------------------------------------------------------


def test_a_stamp_serves_what_needs_less(boot: ModuleType) -> None:
    full = boot.Stamp("hash", "3.12", "/here", frozenset({"test"}))
    plain = full._replace(extras=frozenset())
    assert full.serves(plain)
    assert full.serves(full)
    assert not plain.serves(full)
    for field in ("pyproject", "python", "place"):
        assert not full.serves(plain._replace(**{field: "other"}))


def test_a_stamp_is_read_back_or_not_at_all(boot: ModuleType, tmp_path: Path) -> None:
    stamp = boot.Stamp("hash", "3.12", "/here", frozenset({"test"}))
    boot.write_stamp(tmp_path, stamp)
    assert boot.read_stamp(tmp_path) == stamp
    assert [path.name for path in tmp_path.iterdir()] == ["medfm-stamp.json"]
    for damaged in ("", "[]", "{}", '{"pyproject": 1'):
        boot.stamp_file(tmp_path).write_text(damaged)
        assert boot.read_stamp(tmp_path) is None
    assert boot.read_stamp(tmp_path / "absent") is None


def test_the_stamp_follows_the_declared_dependencies(boot: ModuleType, checkout: Path) -> None:
    before = boot.wanted_stamp(checkout, "3.12", no_extras())
    (checkout / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    assert not before.serves(boot.wanted_stamp(checkout, "3.12", no_extras()))


def test_version_of_a_broken_interpreter_is_empty(boot: ModuleType, tmp_path: Path) -> None:
    assert boot.version_of(tmp_path / "absent").strip() == ""
    broken = tmp_path / "python"
    broken.write_text("not a program")
    assert boot.version_of(broken) == ""
    assert boot.version_of(Path(sys.executable)).startswith(sys.version.split()[0])


def test_first_start_makes_and_second_does_nothing(boot: ModuleType, checkout: Path, tools: Tools) -> None:
    python = boot.prepare(checkout, no_extras())
    assert python == checkout / ".venv" / "bin" / "python"
    assert [("venv" in command, "install" in command) for command in tools.commands] == [(True, False), (False, True)]
    assert tools.installed == ["."]
    assert boot.prepare(checkout, no_extras()) == python
    assert len(tools.commands) == 2


def test_tests_add_their_extras_and_the_demo_keeps_them(boot: ModuleType, checkout: Path, tools: Tools) -> None:
    boot.prepare(checkout, no_extras())
    boot.prepare(checkout, frozenset({"test"}))
    boot.prepare(checkout, no_extras())
    assert tools.installed == [".", ".[test]"]


def test_a_changed_project_is_installed_again_into_the_same_environment(
    boot: ModuleType, checkout: Path, tools: Tools
) -> None:
    boot.prepare(checkout, no_extras())
    (checkout / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    boot.prepare(checkout, no_extras())
    assert tools.installed == [".", "."]
    assert sum("venv" in command for command in tools.commands) == 1


def test_a_broken_environment_is_made_again(boot: ModuleType, checkout: Path, tools: Tools) -> None:
    python = boot.prepare(checkout, no_extras())
    python.unlink()
    boot.prepare(checkout, no_extras())
    assert sum("venv" in command for command in tools.commands) == 2


def test_a_failed_installation_leaves_no_stamp_and_tells_pip_s_last_lines(
    boot: ModuleType, checkout: Path, tools: Tools
) -> None:
    boot.prepare(checkout, no_extras())
    (checkout / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    tools.status = 1
    with pytest.raises(boot.Trouble, match=r"pip could not install(.|\n)*two(.|\n)*PIP_FIND_LINKS"):
        boot.prepare(checkout, no_extras())
    assert boot.read_stamp(checkout / ".venv") is None
    assert not (checkout / ".venv" / "tmp").exists()


def test_a_disk_that_filled_up_is_named(
    boot: ModuleType, checkout: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_interpreter(checkout / ".venv")
    tools.status = 1
    monkeypatch.setattr(boot.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    with pytest.raises(boot.Trouble, match="became full"):
        boot.install(checkout, checkout / ".venv" / "bin" / "python", no_extras())


def test_venv_that_fails_or_is_absent_is_explained(
    boot: ModuleType, checkout: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.status = 1
    with pytest.raises(boot.Trouble, match="could not be made"):
        boot.prepare(checkout, no_extras())
    monkeypatch.setattr(boot.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(boot.Trouble, match=r"apt-get install -y python3\.\d+-venv"):
        boot.prepare(checkout, no_extras())


def test_a_linked_environment_is_never_emptied(boot: ModuleType, checkout: Path, tools: Tools) -> None:
    elsewhere = checkout / "elsewhere"
    elsewhere.mkdir()
    (checkout / ".venv").symlink_to(elsewhere)
    with pytest.raises(boot.Trouble, match="is a link"):
        boot.prepare(checkout, no_extras())
    assert tools.commands == []


def test_space_is_checked_before_anything_is_made(
    boot: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 3 * boot.GB})())
    with pytest.raises(boot.Trouble, match=r"3\.0 GB free; the installation needs 8 GB"):
        boot.prepare(checkout, no_extras())
    assert not (checkout / ".venv").exists()
    boot.check_disk(checkout, boot.NEEDED_AGAIN)


def test_torch_in_place_needs_little_space(boot: ModuleType, tmp_path: Path) -> None:
    assert not boot.holds_torch(tmp_path)
    (tmp_path / "lib" / "python3.12" / "site-packages" / "torch").mkdir(parents=True)
    assert boot.holds_torch(tmp_path)


def test_a_tool_s_progress_goes_to_stderr_and_its_end_is_kept(
    boot: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    script = "import os; print('Collecting x'); print(os.environ.get('PYTHONPATH'), os.environ['TMPDIR']); exit(4)"
    status, last = boot.told([sys.executable, "-c", script], tmp_path, show=True, temporary=tmp_path)
    said = capsys.readouterr()
    assert (status, list(last)) == (4, ["Collecting x", f"None {tmp_path}"])
    assert said.out == ""
    assert said.err == "  Collecting x\n"


# ---- the commands -----------------------------------------------------------------------------------


def test_the_demo_gets_its_options_and_gives_its_status(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["python", "-P", "-m", "medfm_gui", "demo", "--headless", "--json"]
    monkeypatch.setattr(boot, "WINDOWS", True)
    monkeypatch.setattr(boot, "status_of", lambda command: 7 if command == wanted else 0)
    assert boot.run_demo(Path("python"), ["--headless", "--json"]) == 7


def test_on_posix_the_demo_takes_the_place_of_the_script(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(boot, "WINDOWS", False)
    monkeypatch.setattr(boot.os, "execv", lambda path, command: run.append((path, command)))
    monkeypatch.setattr(boot, "status_of", lambda command: 0)
    boot.run_demo(Path("/v/python"), [])
    assert run == [("/v/python", ["/v/python", "-P", "-m", "medfm_gui", "demo"])]


@pytest.mark.parametrize(
    ("broken", "status"), [((), 0), (("ruff",), 1), (("mypy", "pytest"), 5), (("pytest",), 5), (("lint-imports",), 1)]
)
def test_all_checks_run_and_pytest_closes(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], broken: Any, status: int
) -> None:
    run: list[str] = []

    def status_of(command: list[str], folder: Path, stdout: int | None = None) -> int:
        name = Path(command[0]).stem
        run.append(" ".join([name, *command[1:]]))
        assert folder == ROOT
        assert (stdout is None) == (name == "pytest")
        return (5 if name == "pytest" else 2) if name in broken else 0

    monkeypatch.setattr(boot, "status_of", status_of)
    monkeypatch.setattr(boot, "usable_cores", lambda: 2)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert boot.run_checks(Path("/v/python"), ["-k", "x"]) == status
    tests = "pytest -n 2 --dist loadscope -k x"
    assert run == ["ruff check .", "ruff format --check .", "lint-imports", "mypy", tests]
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
    assert ("FAILED" in capfd.readouterr().err) == bool(set(broken) - {"pytest"})


@pytest.mark.parametrize(
    ("options", "cores", "more"),
    [
        ([], 2, "-n 2 --dist loadscope"),
        (["tests/unit/x.py", "-k", "no", "--noconftest", "--durations=5"], 4, "-n 4 --dist loadscope"),
        ([], 64, "-n 8 --dist loadscope"),
        ([], 1, ""),
        (["-n", "3"], 2, ""),
        (["-n0"], 2, ""),
        (["--numprocesses=3"], 2, ""),
        (["-p", "no:xdist"], 2, ""),
        (["-pno:xdist"], 2, ""),
        (["-s", "tests/unit"], 2, ""),
        (["--pdb"], 2, ""),
    ],
)
def test_the_tests_use_every_core_unless_told_how(boot: ModuleType, options: list[str], cores: int, more: str) -> None:
    assert " ".join(boot.side_by_side(options, cores)) == more


def test_cores_are_those_that_may_be_used(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert boot.usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert boot.usable_cores() == 1


def test_status_of_programs(boot: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert boot.status_of([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    if os.name == "posix":
        assert boot.status_of([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 137
    assert boot.status_of(["/absent/program"]) == 1
    assert "Remove .venv" in capsys.readouterr().err


def test_trouble_is_a_sentence_and_status_1(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> Path:
        raise boot.Trouble("It cannot be. Do this.")

    monkeypatch.setattr(boot, "warn_of_missing_libraries", lambda system: None)
    monkeypatch.setattr(boot, "prepare", fail)
    assert boot.main(["demo", "--json"]) == 1
    assert capsys.readouterr() == ("", "It cannot be. Do this.\n")

    def stop(*_: Any) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(boot, "prepare", stop)
    assert boot.main(["test"]) == 130


def test_main_runs_what_was_asked_for(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot, "warn_of_missing_libraries", lambda system: None)
    monkeypatch.setattr(boot, "prepare", lambda root, extras: (root, extras))
    monkeypatch.setattr(boot, "run_demo", lambda python, rest: (python, rest))
    monkeypatch.setattr(boot, "run_checks", lambda python, rest: (python, rest))
    assert boot.main(["demo", "--json"]) == ((ROOT, frozenset()), ["--json"])
    assert boot.main(["test", "-x"]) == ((ROOT, frozenset({"test"})), ["-x"])


def test_extras_and_tools_are_declared_by_the_project(boot: ModuleType) -> None:
    optional = PYPROJECT["project"]["optional-dependencies"]
    declared = {re.split(r"[<>=\[]", name)[0] for name in optional["test"]}
    assert all(extras <= set(optional) for extras in boot.EXTRAS.values())
    assert {"ruff", "mypy", "import-linter", "pytest", "pytest-xdist"} <= declared
    assert len(boot.checks(Path("python"))) == 4


def test_one_command_checks_all() -> None:
    script = ROOT / ".ci" / "run"
    assert script.read_text().rstrip().endswith("exec python3 installer/bootstrap.py test")
    assert os.name != "posix" or os.access(script, os.X_OK)


def test_the_stamp_is_json_for_people(boot: ModuleType, tmp_path: Path) -> None:
    boot.write_stamp(tmp_path, boot.Stamp("h", "3.12", "/x", frozenset({"b", "a"})))
    assert json.loads(boot.stamp_file(tmp_path).read_text())["extras"] == ["a", "b"]

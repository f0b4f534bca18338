"""A wheel carries the plugins and the resources and works from an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_wheel_works_from_an_empty_folder(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    for wanted in ("plugins/baselines/plugin.toml", "plugins/dinov2/backbone.py", "resources/report/report.typ"):
        assert f"medfm_gui/_{wanted}" in names
    assert not [name for name in names if name.startswith(("tests/", "plugins/"))]
    empty = tmp_path / "empty"
    empty.mkdir()
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import medfm_gui; "
        f"assert medfm_gui.__file__.startswith({str(tmp_path)!r}); from medfm_gui.cli import main; "
        "sys.argv = ['medfm', 'models', '--json']; main()"
    )
    environment = {**os.environ, "MEDFM_CONFIG": str(tmp_path / "config")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=empty, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {"dinov2-s", "resnet50", "efficientnet-lite0"} <= {row["name"] for row in json.loads(done.stdout)["models"]}

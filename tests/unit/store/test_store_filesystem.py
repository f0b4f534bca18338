from __future__ import annotations

from pathlib import Path

import pytest

from medfm_gui.domain.errors import NotFound, StoreError
from medfm_gui.store import opening
from medfm_gui.store.filesystem import network_filesystem
from medfm_gui.store.store import Store

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /home nfs4 rw 0 0
/dev/sdb1 /home/ada/local ext4 rw 0 0
//nas/scans /mnt/scans\\040of\\0402026 cifs rw 0 0
host /mnt/c 9p rw 0 0
ada@box: /mnt/box fuse.sshfs rw 0 0
portal /run/portal fuse.portal rw 0 0
/dev/sdc1 /mnt/twice nfs rw 0 0
/dev/sdc1 /mnt/twice ext4 rw 0 0
torn
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib", ""),
        ("/home/ada/work", "nfs4"),
        ("/home/ada/local/work", ""),
        ("/homework", ""),
        ("/mnt/scans of 2026/a", "cifs"),
        ("/mnt/c/Users", "9p"),
        ("/mnt/box", "fuse.sshfs"),
        ("/run/portal", ""),
        ("/mnt/twice", ""),
    ],
)
def test_the_innermost_mount_decides(folder: str, kind: str) -> None:
    assert network_filesystem(Path(folder), mounts=MOUNTS) == kind


def test_this_computers_own_table_is_read(tmp_path: Path) -> None:
    assert network_filesystem(tmp_path) == ""


def test_a_network_share_is_refused_for_writing_and_read_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "medfm.sqlite"
    Store.open(path).close()
    monkeypatch.setattr(opening, "network_filesystem", lambda folder: "nfs4")
    with pytest.raises(StoreError, match=r"network file system \(nfs4\).*on a disk of this computer"):
        Store.open(path)
    with Store.open(path, read_only=True) as store, store.reading() as reader:
        assert Path(reader.db.conn.execute("PRAGMA database_list").fetchone()[2]).parent != tmp_path
    with pytest.raises(NotFound):
        Store.open(tmp_path / "none.sqlite", read_only=True)

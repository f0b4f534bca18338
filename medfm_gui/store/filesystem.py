"""Whether a folder lies on another computer, where SQLite's write-ahead log cannot be shared safely."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path

_REMOTE = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ncpfs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs"),
    *("davfs", "davfs2", "orangefs", "pvfs2"),
}
_REMOTE_FUSE = ("sshfs", "rclone", "s3fs", "glusterfs", "ceph", "davfs", "smb", "nfs", "gcsfuse", "mountpoint-s3")
_DRIVE_REMOTE = 4  # GetDriveTypeW


def network_filesystem(folder: Path, *, mounts: str | None = None) -> str:
    """The type of the network file system that holds a folder, e.g. ``nfs4``; empty when it is on this computer.

    Known on Linux (from ``/proc/mounts``, or the text ``mounts``) and Windows; elsewhere taken as local.
    """
    if sys.platform == "win32":
        return _windows_share(folder)
    if mounts is None:
        table = Path("/proc/mounts")
        if not table.exists():
            return ""
        mounts = os.fsdecode(table.read_bytes())
    kind = _type_of(folder.resolve(), mounts)
    is_remote = kind in _REMOTE or (kind.startswith("fuse.") and any(name in kind for name in _REMOTE_FUSE))
    return kind if is_remote else ""


def _type_of(folder: Path, mounts: str) -> str:
    """The type of the innermost mount that holds ``folder``; of mounts on one point the last one counts."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1]))
        depth = len(point.parts)
        if folder.is_relative_to(point) and depth >= best:
            best, kind = depth, fields[2]
    return kind


def _windows_share(folder: Path) -> str:
    drive = folder.resolve().drive
    if drive.startswith("\\\\"):
        return "network share"
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - absent from the type stubs of other systems
    return "network drive" if kernel.GetDriveTypeW(f"{drive}\\") == _DRIVE_REMOTE else ""

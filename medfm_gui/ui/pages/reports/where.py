"""Asks where a PDF shall be written, and shows a folder."""

from __future__ import annotations

import re

from PySide6.QtCore import QFileInfo, QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_where(parent: QWidget, title: str, name: str) -> str:
    """The file a person chose; empty where they thought better of it. A name without an ending gets “.pdf”."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    dialog = QFileDialog(parent, title, folder, "PDF (*.pdf)")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("pdf")
    dialog.selectFile(name)
    try:
        chosen = dialog.selectedFiles() if dialog.exec() else []
    finally:
        dialog.deleteLater()
    return chosen[0] if chosen else ""


def file_name(title: str) -> str:
    """A file name for a report of that title."""
    words = re.sub(r"[^\w-]+", "-", title.strip().lower()).strip("-")[:60].strip("-")
    return f"{words or 'report'}.pdf"


def show_folder(path: str) -> None:
    """Open the folder of a file in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(QFileInfo(path).path()))

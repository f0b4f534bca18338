"""Short names for what the item models of a comparison are asked with."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
NOWHERE: Final = QModelIndex()
LONGEST: Final = 160
"""Letters of a cell that is one line."""
DISPLAY: Final = Qt.ItemDataRole.DisplayRole
TIP: Final = Qt.ItemDataRole.ToolTipRole
ALIGN: Final = Qt.ItemDataRole.TextAlignmentRole
HORIZONTAL: Final = Qt.Orientation.Horizontal
LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

"""Where the program's own files are: in the source tree, in an installed wheel, or in a frozen bundle."""

from __future__ import annotations

from pathlib import Path

from medfm_gui.domain.errors import InternalError

_PACKAGE = Path(__file__).resolve().parent.parent


def plugins_folder() -> Path:
    """The folder of the product's own plugins, one folder a family."""
    return _first("plugins", "_plugins")


def resources_folder() -> Path:
    """The folder of templates, tokens and presets."""
    return _first("resources", "_resources")


def _first(in_source: str, in_wheel: str) -> Path:
    source = _PACKAGE.parent / in_source
    if (_PACKAGE.parent / "pyproject.toml").is_file() and source.is_dir():
        return source  # a checkout: copies that an editable install made would be stale
    installed = _PACKAGE / in_wheel
    if installed.is_dir():
        return installed
    raise InternalError(f"The program's own folder “{in_source}” is missing.", "Install MedFM Studio again.")

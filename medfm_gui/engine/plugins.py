"""The code of a plugin, imported as ``medfm_plugins.<folder>``.

Only folders of this program (or of those that ``MEDFM_PLUGINS`` names) are ever imported: a card travels in
``spec.json``, and a file must not be able to choose the code that is run.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from medfm_gui.base.resources import plugins_folder
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import PluginError

_ROOT = "medfm_plugins"


def plugin_function(card: BackboneCard) -> Callable[..., Any]:
    """The function that ``card.entry`` (``module:function``) names.

    Raises:
        PluginError: the plugin is not installed, its import fails, or it has no such function.
    """
    folder = _folder_of(card)
    module_name, _, function_name = card.entry.partition(":")
    try:
        package = _package(folder)
        module = importlib.import_module(f"{package.__name__}.{module_name}")
        function: Callable[..., Any] = getattr(module, function_name)
    except Exception as error:  # border: a plugin's own code
        raise PluginError(
            f"The plugin “{card.plugin}” cannot be loaded: {type(error).__name__}: {error}.",
            f"Look into “{folder}”, or remove that folder.",
        ) from error
    return function


def _folder_of(card: BackboneCard) -> Path:
    name = Path(card.plugin_folder).name
    trusted = [
        plugins_folder(),
        *(Path(part) for part in os.environ.get("MEDFM_PLUGINS", "").split(os.pathsep) if part),
    ]
    declared = Path(card.plugin_folder).resolve()
    for root in trusted:
        if declared == (root / name).resolve():
            return declared
    for root in trusted:  # a run from another computer names its own path
        if name and (root / name / "plugin.toml").is_file():
            return (root / name).resolve()
    raise PluginError(
        f"The plugin “{card.plugin}” of {card.title} is not installed here (“{card.plugin_folder}”).",
        "Install it, or name the folder that holds it in MEDFM_PLUGINS.",
    )


def _package(folder: Path) -> ModuleType:
    root = sys.modules.get(_ROOT)
    if root is None:
        root = ModuleType(_ROOT, "Plugins that were loaded.")
        root.__path__ = []
        sys.modules[_ROOT] = root
    name = f"{_ROOT}.{folder.name}"
    known = sys.modules.get(name)
    if known is not None and list(known.__path__) == [str(folder)]:
        return known
    for stale in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
        del sys.modules[stale]  # another folder of the same name
    importlib.invalidate_caches()
    init = folder / "__init__.py"
    if init.is_file():
        spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(folder)])
    else:
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
    if spec is None:
        raise ImportError(f"no package in {folder}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    try:
        if spec.loader is not None:
            spec.loader.exec_module(package)
    except BaseException:
        del sys.modules[name]
        raise
    return package

"""The dialog that writes copies of studies that name nobody: options, images to look at, what was removed.

May import: as ``ui.pages``. Front door: ``dialog.DeidentifyDialog``. Alone: ``python -m`` this package.
To add an option: a field in ``domain.deidentification``, one line in ``options``.
"""

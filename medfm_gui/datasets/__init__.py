"""A folder, a table or an archive becomes a Dataset; a Dataset becomes a Split that does not leak.

May import: ``imaging``, ``metrics``, ``base``, ``domain``, numpy, scipy. Front doors: ``ingest.read_source``,
``split.make_split``, ``files``, ``pixels.PixelCache``, ``targets``. To add a layout: one file in ``importers`` that
turns a source into a ``Listing``, and one line in ``importers/layouts.py``; decoding and labels are shared.
"""

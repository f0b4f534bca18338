"""One file a layout: each turns what lies on disk into a ``Listing`` and decodes no picture itself.

May import: ``datasets`` modules below (``listing``, ``published``, ``table``, ``text``, ``walk``), ``imaging.pool`` for
headers. Front door: ``layouts.LAYOUTS`` and ``layouts.choose``. To add a layout: a module with ``LAYOUT = Layout(…)``,
listed there; of a published release: find its files and count them with ``published``, give policies and ``Count``s.
"""

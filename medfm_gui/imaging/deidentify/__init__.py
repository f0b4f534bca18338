"""A DICOM image becomes another that names nobody: PS3.15 Annex E, written from a list of what may stay.

May import: as ``imaging``. All of it but ``orders`` runs in the decode children, for it parses foreign files.
Front door: ``orders.look`` and ``orders.write`` through a ``DecodePool``.
To let an attribute stay: one line in ``rules``, with the rule that checks its value; a new kind of object: ``kinds``.
"""

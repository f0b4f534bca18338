"""Studies: read one the way a viewer is read, and ask finished runs what they say of it.

``page`` joins three columns: ``browser`` (tree over ``model``, pictures by ``thumbs``), ``reading`` (the viewer, fed by
``opening``), and ``predict`` (runs, answers in ``results``, maps in ``overlay``). May import what every page may.
"""

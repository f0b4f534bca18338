"""A file becomes pixels and a header: foreign files meet the gate here, and are decoded in children with limits.

May import: ``base``, ``domain``, pydicom and its decoders, Pillow, NumPy; the pool and its records load neither.
Front door: ``pool.DecodePool`` for all foreign files; ``series``, ``objections``, ``overlay``, ``secondary_capture``.
To add a format: its first bytes in ``gate``, a reader beside ``raster`` and ``dicom``, one line in ``read``.
"""

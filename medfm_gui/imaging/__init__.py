"""A file becomes pixels and a header: foreign files meet the gate here, and are decoded in children with limits.

May import: ``base``, ``domain``, NumPy, pydicom and its decoders, nibabel, SimpleITK, Pillow; the pool loads no reader.
Front door: ``pool.DecodePool`` for all foreign files; ``series``, ``objections``, ``overlay``, ``secondary_capture``.
To add a format: its first bytes in ``gate``, a reader beside ``raster``, ``dicom`` and ``nifti``, one line in ``read``
(of a picture) or ``volume_file`` (of voxels).
"""

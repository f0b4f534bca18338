"""A simulated thorax: from one seeded anatomy a patient, radiographs by projection and CT by sampling.

Purpose: data for the demonstration and for tests, made on the spot, with a known truth.
May import: numpy, scipy, pydicom, nibabel (this package is part of ``imaging``).
Front door: ``write.write_phantom``. ``anatomy`` draws a patient, ``shapes`` knows line integrals,
``radiograph`` and ``volume`` look at it, ``write`` makes DICOM files, masks and a label table.
"""

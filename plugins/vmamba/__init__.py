"""VMamba (Liu et al. 2024, arXiv 2401.10166): vision by selective state spaces, in every published size.

``model`` needs torch alone and can be read and used by itself; ``triton_scan`` is taken on CUDA where triton is
installed; ``backbone`` makes of it what the engine works with. To add a size: a row in ``backbone.SHAPES`` and a
``[[backbone]]`` in ``plugin.toml``.
"""

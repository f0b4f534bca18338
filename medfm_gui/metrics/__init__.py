"""Predictions become numbers that a person may quote, and charts.

May import: ``base``, ``domain``, numpy, scipy, statsmodels. No torch, no window, no files.
Front door: ``scored.Scored``, then ``evaluate``, ``compare``, ``threshold``, ``charts``.
To add a metric: a statistic (``ranking.py``, ``counting.py``), its row in ``quantities.py``, its name in ``names.py``;
point estimate and bootstrap replicates then come from the same code.
"""

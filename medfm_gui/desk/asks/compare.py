"""Evaluations and comparisons."""

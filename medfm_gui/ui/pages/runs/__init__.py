"""Runs: queue and history, live curves, what went wrong, and what can be done about it.

``model`` holds rows and filter, ``wording`` how numbers read, ``deeds`` what is possible with a choice of runs,
``cells`` how the table draws, ``details`` and its parts one run, ``seal`` the dialog that opens a test, ``page`` joins
them. A new thing to do with runs: a line in ``deeds.DEEDS`` and a method of the page.
"""

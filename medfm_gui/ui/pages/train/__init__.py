"""Train: from a dataset to runs that are started, in six steps, with their cost measured before.

``page.py`` shows an introduction and the wizard, ``model.py`` holds the plan, ``rules.py`` says what is missing,
``wizard/`` has a file a step.
"""

"""The train wizard, a file a step; ``wizard.py`` holds them together, ``step.py`` is what they share."""

"""Settings: what this computer has, weights, the network, privacy, keys, looks, diagnostics, what all is made of.

Front door: ``page.SettingsPage``, whose one list names the sections; a section is a module here. ``model`` holds the
item models of their tables.
"""

"""The ground under every room: files written safely, JSON of our types, settings, plugins, child processes.

May import: ``domain``, the standard library, pydantic, platformdirs. Front door: the modules themselves.
"""

"""Home: what this program is for, what is in the workspace, what this computer can do, what to do next.

Front door: ``page.HomePage``. ``model`` says in words what the desk answers; the other modules are the panels.
"""

"""The command line: every intent of ``workspace`` as a command, for people and for scripts.

May import: ``workspace`` and the floor below it, typer, rich. Front door: ``main``. Each file holds the
commands of one subject; ``answer.py`` alone prints, counts progress and turns errors into exit codes.
To add a command: a function with typed options that calls one workspace function and gives one document.
"""


def main() -> None:
    """The console command ``medfm``."""
    from medfm_gui.cli.app import app

    app()

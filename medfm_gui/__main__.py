"""``python -m medfm_gui COMMAND …``: the command line."""

from medfm_gui.cli import main

if __name__ == "__main__":
    main()

"""The nouns and the events of the program: frozen dataclasses, standard library only.

May import: nothing of ours. Front door: the modules themselves (``from medfm_gui.domain.split import Split``).
To add a noun: one frozen dataclass, a line of doc and a unit a field; what must not exist cannot be constructed.
"""

"""Questions of the window, a file a topic: frozen dataclasses that name their answer; light imports only."""

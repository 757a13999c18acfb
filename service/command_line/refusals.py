"""How a command says no."""


class CommandFailed(Exception):
    """A command cannot do what it was asked; the text says why."""

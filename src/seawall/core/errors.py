"""The one error root. A subclass exists only where some caller handles it differently; else built-in errors serve."""


class SeawallError(Exception):
    """Something failed in a way that the user can understand: the message says what, where and what to try."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Unreachable(SeawallError):
    """A peer (daemon, server, socket) is not there now. Worth trying again later."""


class Hostile(SeawallError):
    """Input passed a limit or broke its format in a way that honest producers do not. Never worth trying again."""

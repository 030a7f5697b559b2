"""Problems with options that are found before a command runs, kept until the command has checked its other options."""

from contextvars import ContextVar

_deferred: ContextVar[tuple[str, ...]] = ContextVar("_deferred", default=())


def forget() -> None:
    """Forget all problems, at the start of a command."""
    _deferred.set(())


def defer(*messages: str) -> None:
    """Keep problems for `deferred`."""
    _deferred.set((*_deferred.get(), *messages))


def deferred() -> tuple[str, ...]:
    """Return the problems that were kept, and forget them."""
    messages = _deferred.get()
    forget()
    return messages

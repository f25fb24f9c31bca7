"""The errors that end a run with a message for a person instead of a traceback."""


class RestoreGuardError(Exception):
    """A run that cannot go on; `exit_code` is what the command returns."""

    exit_code = 3


class UsageError(RestoreGuardError):
    """Wrong usage or configuration: only the user can put it right."""

    exit_code = 2


class UncheckedError(RestoreGuardError):
    """Something could not be checked, so nothing may be called green."""

    exit_code = 3

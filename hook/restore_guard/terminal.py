"""The process around a command: its signals, streams, progress and exit code."""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO, TypeVar, cast

import click

from restore_guard.errors import RestoreGuardError, UsageError

if TYPE_CHECKING:  # importing git takes 0.2 s
    from restore_guard.change.run import Run
    from restore_guard.commands.renewing import Updated
    from restore_guard.progress import Progress
    from restore_guard.result import Result

T = TypeVar("T")


_SCARCE = {
    *(errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EAGAIN),
    *(errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO),
}


def prepare() -> None:
    """Makes the process end cleanly when it is stopped, and its streams take whatever is written."""
    _clean_up_when_stopped()
    atexit.register(gc.freeze)  # Python looks for garbage once more before it ends: a tenth of a small check's time
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever has started this
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as the process lives
        stream = getattr(sys, name)
        # A terminal of another encoding shows a question mark for what it lacks.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if not isinstance(sys.stderr, _Forgiving):
        sys.stderr = cast("TextIO", _Forgiving(sys.stderr))


class _Forgiving:
    """Standard error: where nothing can be told, the verdict is the same."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def _clean_up_when_stopped() -> None:
    """A stopped run ends as an interrupted one does: no temporary folder and no build stays behind.

    Once: the second Ctrl-C of somebody impatient must not interrupt that.
    """
    codes = {signal.SIGINT: 130, signal.SIGTERM: 143} | ({signal.SIGHUP: 129} if hasattr(signal, "SIGHUP") else {})

    def stop(number: int, _: object) -> None:
        for each in codes:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(codes[signal.Signals(number)])

    for each in codes:
        if signal.getsignal(each) != signal.SIG_IGN:  # as for a background job, and under nohup
            signal.signal(each, stop)


@contextmanager
def run(folder: str = ".", *, progress: Progress | None = None, anywhere: bool = False) -> Iterator[Run]:
    """The repository of a folder, with progress on standard error.

    Args:
        anywhere: takes the folder alone where there is no repository.
    """
    from restore_guard.change.folder import opened
    from restore_guard.change.repository import Repository
    from restore_guard.change.run import Run

    with opened(folder) if anywhere else Repository(folder) as repository, progress or progress_bar() as shown:
        yield Run(repository, os.environ, shown)


def finish(run: Callable[[], int]) -> None:
    """Runs a command and ends the process with its exit code; an exception becomes a line on standard error."""
    try:
        code = run()
    except RestoreGuardError as error:
        kind = "wrong usage" if isinstance(error, UsageError) else "not checked"
        say(f"{kind}: {error}")
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("interrupted: nothing was checked.")
        code = 130
    except Exception as error:
        say(f"not checked: {_refused(error) or _unforeseen(error)}")
        code = 3  # not 1, which says that checkpoints break
    _flush()
    sys.exit(code)


def say(text: str) -> None:
    """A message on standard error: what it quotes moves no cursor, and is no command in a log of GitHub Actions."""
    from restore_guard.reports.wording import plain

    first, *others = f"restore-guard: {text}".splitlines()
    indented = (f"{' ' * (len(line) - len(line.lstrip()))}{plain(line)}" for line in others)
    click.echo("\n".join([plain(first), *indented]), err=True)


def told(done: Sequence[Updated]) -> int:
    """Tells what became of manifests, and returns the exit code."""
    from restore_guard.reports import update_text

    click.echo(update_text.render(done, color=is_colored(), width=width()), nl=False)
    return code_of(done)


def code_of(done: Sequence[Updated]) -> int:
    """The exit code of what became of manifests."""
    states = {item.state for item in done}
    return 1 if "refused" in states else 3 if "failed" in states else 0


def write(result: Result, form: str, output: Path | None) -> None:
    """Writes a report in a format of `REPORTS` to a file or to standard output, there with the last line only."""
    from restore_guard.reports import load

    if form == "text":
        rendered = load(form).render(result, color=output is None and is_colored(), width=width(), brief=in_hook())
    else:
        rendered = load(form).render(result)
    if output is not None:
        try:
            output.write_text(rendered, encoding="utf-8")
            rendered = result.summary()
        except OSError as error:
            # The verdict stands, whatever becomes of the report.
            say(f"{output} cannot be written: {error.strerror}. The report:")
    try:
        click.echo(rendered, nl=not rendered.endswith("\n"))
    except BrokenPipeError:
        _flush()  # a reader that has seen enough
    except OSError as error:
        say(f"the report cannot be written: {error.strerror}. {result.summary()}")


def asked_again(read: Callable[[str], T]) -> Callable[[str], T]:
    """Reads an answer to a question; click asks again after one that is wrong."""

    def answered(text: str) -> T:
        try:
            return read(text)
        except UsageError as error:
            raise click.UsageError(str(error)) from error

    return answered


def in_hook() -> bool:
    """Whether pre-commit or prek has started this: what is printed is shown at the end, all at once."""
    return bool(os.environ.get("PRE_COMMIT"))


def is_colored() -> bool:
    """Whether standard output takes colors: NO_COLOR (no-color.org) and FORCE_COLOR decide before the terminal."""
    return "NO_COLOR" not in os.environ and (sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR")))


def width() -> int:
    """The terminal's width in characters, 100 where there is none."""
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


def progress_bar() -> Progress:
    """What tells on standard error what is being done."""
    from restore_guard.progress import Progress

    return Progress(sys.stderr, live=not in_hook(), below=_user_terminal() if in_hook() else None)


def _user_terminal() -> IO[str] | None:
    """The terminal of whoever waits for a hook, whose output the runner keeps until the end."""
    try:
        return open("/dev/tty", "w", encoding="utf-8", errors="replace")
    except OSError:
        return None


def _refused(error: Exception) -> str | None:
    """A sentence about what the system does not give; None for any other exception."""
    if isinstance(error, MemoryError):
        return "memory ran out."
    if isinstance(error, OSError) and (error.errno in _SCARCE or "temporary directory" in str(error)):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{where}. That is refused by the system: allow it, or make room, and run this again."
    return None


def _unforeseen(error: Exception) -> str:
    """A sentence about an exception that nobody expected, and where the rest of it is."""
    import tempfile
    import traceback

    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="restore-guard-error-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            traceback.print_exception(error, file=file)
        where = f"the details are in {file.name}"
    except OSError:
        where = "the details could not be written anywhere"
    return f"{text}. This is a bug in restore-guard, please report it; {where}."


def _flush() -> None:
    """Python flushes once more when it ends, and would end with another exit code where that fails."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)

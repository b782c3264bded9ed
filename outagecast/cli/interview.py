"""Asking the person at the terminal: on standard error, and what is secret is not shown while it is typed."""

from __future__ import annotations

import signal
import termios
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.errors import OutagecastError, UsageError
from outagecast.secrets import Secret, Vault, bounded
from outagecast.text import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from outagecast.cli.surroundings import Surroundings
    from outagecast.model import Finding
    from outagecast.screen import Screen

_ECHO = 3
"""Where termios keeps the local modes."""


def demand_person(around: Surroundings, what: str, needs: str, otherwise: str) -> None:
    """Nothing is asked where nobody can answer: say what would have been asked, and what to type instead."""
    if not around.interactive:
        raise UsageError(f"{what} asks questions and needs a terminal. It asks for {needs}", hint=otherwise)


class Interview:
    """The person at the terminal (`channel.Person`). Everything said is free of the secrets that they typed."""

    def __init__(self, around: Surroundings, screen: Screen, again: str, *, browser: bool = False) -> None:
        """`again` is what to type when they leave in the middle."""
        self._around = around
        self._screen = screen
        self._again = again
        self._browser = browser
        self._vaults = [Vault({}, Path())]

    def know(self, vault: Vault) -> None:
        """Hide the secrets of a config too."""
        self._vaults.append(vault)

    def mask(self, text: str) -> str:
        """The text without any secret."""
        for vault in self._vaults:
            text = vault.mask(text)
        return text

    def quote(self, text: str) -> str:
        """The text without any secret, and no longer than a person reads."""
        return bounded(self.mask(text))

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Let no secret out in an error, and put into words that the person has left."""
        try:
            yield
        except OutagecastError as err:
            err.text, err.hint = self.quote(err.text), self.quote(err.hint)
            raise
        except KeyboardInterrupt as err:
            self._screen.line()
            raise UsageError("stopped; nothing was written", hint=self._again) from err

    def say(self, text: str) -> None:
        """Tell something, broken into lines as the terminal has room."""
        self._screen.line()
        self._screen.paragraph(self.quote(text))

    def gap(self) -> None:
        """Begin another part."""
        self._screen.line()

    def findings(self, findings: Sequence[Finding]) -> None:
        """Show what was found out."""
        masked = [replace(each, text=self.quote(each.text), do=self.quote(each.do)) for each in findings]
        self._screen.findings(masked)

    def trouble(self, err: OutagecastError) -> None:
        """Show what went wrong, where it goes on all the same."""
        self._screen.line()
        self._screen.error(self.quote(err.text), self.quote(err.hint))

    def line(
        self,
        question: str,
        *,
        default: str = "",
        optional: bool = False,
        check: Callable[[str], object] | None = None,
    ) -> str:
        """Ask for one line until it is right."""
        offered = f" [{default}]" if default else " (Enter for none)" if optional else ""
        while True:
            self._screen.prompt(f"{question}{offered}:")
            text = self._typed() or default
            try:
                if text or not optional:
                    _demand(text)
                    (check or str)(text)
            except ValueError as err:
                self._wrong(str(err))
            else:
                return text

    def hidden(self, question: str, *, optional: bool = False) -> Secret | None:
        """Ask for a secret; the terminal does not echo it."""
        offered = " (Enter for none)" if optional else ""
        while True:
            with self._without_echo():
                self._screen.prompt(f"{question}{offered}; it is not shown:")
                text = self._typed()
            self._screen.line()
            if text and text.isprintable():
                return self.keep(text)
            if optional and not text:
                return None
            self._wrong("nothing arrived; paste it and press Enter" if not text else "that is no plain text")

    def yes(self, question: str, *, default: bool) -> bool:
        """Ask for yes or no."""
        answers = {"y": True, "yes": True, "n": False, "no": False, "": default}
        while True:
            self._screen.prompt(f"{question} [{'Y/n' if default else 'y/N'}]")
            answer = answers.get(self._typed().lower())
            if answer is not None:
                return answer
            self._wrong("answer y or n")

    def choose(self, question: str, choices: Sequence[str]) -> int:
        """Ask for one of several."""
        self._screen.line()
        self._screen.line(terminal(self.mask(question)))
        for number, choice in enumerate(choices, 1):
            self._screen.paragraph(self.mask(choice), f"  {number}", 5)
        while True:
            self._screen.prompt(f"1 to {len(choices)} [1]:")
            text = self._typed() or "1"
            if text.isascii() and text.isdigit() and 1 <= int(text) <= len(choices):
                return int(text) - 1
            self._wrong(f"answer with a number from 1 to {len(choices)}")

    def visit(self, url: str) -> None:
        """Show a link; open it only if --browser asked for that."""
        self._screen.line()
        self._screen.line(f"  {terminal(self.mask(url))}", "underline")
        self._screen.line()
        if self._browser:
            import webbrowser

            if not webbrowser.open(url):
                self._wrong("no browser could be opened here; copy the link into one")

    def keep(self, value: str) -> Secret:
        """Make a secret that nothing said here shows from now on."""
        return self._vaults[0].secret(value.replace("$", "$$"))

    def _wrong(self, text: str) -> None:
        self._screen.line(terminal(self.mask(text)), "yellow")

    def _typed(self) -> str:
        try:
            line = self._around.stdin.readline()
        except UnicodeDecodeError:
            return "\ufffd\x00"  # not printable, so it is asked for again
        if not line:
            self._screen.line()
            raise UsageError("the answers ended before the questions; nothing was written", hint=self._again)
        return line.strip()

    @contextmanager
    def _without_echo(self) -> Iterator[None]:
        terminal_ = self._around.stdin.fileno()
        before = termios.tcgetattr(terminal_)
        silent = termios.tcgetattr(terminal_)
        silent[_ECHO] &= ~termios.ECHO
        # What was typed ahead is thrown away, as is the rest of something pasted that has several lines.
        termios.tcsetattr(terminal_, termios.TCSAFLUSH, silent)
        try:
            # After Ctrl-Z and fg the shell gives the terminal back as it keeps it for itself: with its echo on.
            with _on_continue(lambda: termios.tcsetattr(terminal_, termios.TCSANOW, silent)):
                yield
        finally:
            termios.tcsetattr(terminal_, termios.TCSAFLUSH, before)


@contextmanager
def _on_continue(do: Callable[[], None]) -> Iterator[None]:
    """Do this whenever the process goes on after it was stopped."""
    before = signal.signal(signal.SIGCONT, lambda _number, _frame: do())
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, before)


def _demand(text: str) -> None:
    if not text:
        raise ValueError("an answer is needed here")
    if not text.isprintable():
        raise ValueError("type it again, in one line and without control characters")

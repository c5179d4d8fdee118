"""Log records without control characters, whatever text of a client they carry.

`install` makes every record of the process, of any library and for any handler, one of `EscapedRecord`: its
message is one line, and neither message, context nor exception can forge a line, move a terminal's cursor
or reverse the direction of text.
"""

from __future__ import annotations

import logging
import re
from types import TracebackType
from typing import Any

# C0, DEL, C1, line and paragraph separators, marks that change the direction of text, lone surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# Of several lines by nature; made of the exception and of source files.
_MULTILINE = frozenset({"msg", "exc_text", "stack_info"})
MAX_CHAIN = 100

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def escaped(text: str) -> str:
    r"""Return the text with control characters as \n, \x1b or \u2028."""
    if text.isprintable():
        return text
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def escaped_lines(text: str) -> str:
    """Return a text of several lines for a terminal, each line escaped."""
    return "\n".join(map(escaped, text.split("\n")))


def install() -> None:
    """Let all loggers of this process make escaped records."""
    logging.setLogRecordFactory(EscapedRecord)


_set = object.__setattr__


class EscapedRecord(logging.LogRecord):
    """A record whose message, exception and other texts have no control characters.

    Formatters add texts of a request's context to a record by setting its attributes, hence __setattr__.
    """

    def __init__(self, *arguments: Any, **members: Any) -> None:
        """Create the record, as logging.LogRecord."""
        super().__init__(*arguments, **members)
        if self.exc_info and self.exc_info[1] is not None:
            self.exc_info = _escaped_info(self.exc_info)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a text is escaped."""
        if isinstance(value, str) and not value.isprintable() and name not in _MULTILINE:
            value = escaped(value)
        _set(self, name, value)

    def getMessage(self) -> str:  # noqa: N802 - of logging
        """Return the message with its arguments, on one line."""
        return escaped(super().getMessage())


def _escaped_info(info: ExceptionInfo) -> ExceptionInfo:
    if not any(_UNSAFE.search(_text(error)) for error in _chain(info[1])):
        return info
    error = _escaped_error(info[1], {})
    return type(error), error, info[2]


def _chain(error: BaseException) -> list[BaseException]:
    """Return the error, its causes, contexts and members, each once."""
    found: dict[int, BaseException] = {}
    pending = [error]
    while pending and len(found) < MAX_CHAIN:
        current = pending.pop()
        if id(current) in found:
            continue
        found[id(current)] = current
        members = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        linked = (current.__cause__, current.__context__, *members)
        pending += [other for other in linked if other is not None]
    return list(found.values())


def _text(error: BaseException) -> str:
    """Return what a traceback shows of the error."""
    try:
        return "".join((str(error), *map(str, getattr(error, "__notes__", ()))))
    except Exception:  # the traceback says so as well
        return ""


def _escaped_error(
    error: BaseException, known: dict[int, BaseException], depth: int = 0
) -> BaseException:
    """Return an exception that a traceback shows as this one, with its text escaped."""
    if id(error) in known:
        return known[id(error)]
    copy = known[id(error)] = _copy(error)
    copy.__traceback__ = error.__traceback__
    copy.__suppress_context__ = error.__suppress_context__
    for link in ("__cause__", "__context__"):
        linked = getattr(error, link)
        if linked is not None and depth < MAX_CHAIN:
            suppressed = copy.__suppress_context__
            setattr(copy, link, _escaped_error(linked, known, depth + 1))
            copy.__suppress_context__ = suppressed  # setting a cause sets it
    return copy


def _copy(error: BaseException) -> BaseException:
    shown = [escaped(line) for line in _lines(error)]
    kind = type(error)
    members = {"__str__": lambda _: " ".join(shown), "__module__": kind.__module__}
    copied: type[Exception] = type(kind.__name__, (Exception,), members)
    copied.__qualname__ = kind.__qualname__
    return copied()


def _lines(error: BaseException) -> list[str]:
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return [_text(error), *(f"[{type(member).__name__}: {_text(member)}]" for member in members)]

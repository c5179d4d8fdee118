"""Log records: what a client sends cannot forge a line or move a terminal's cursor."""

from __future__ import annotations

import io
import json
import logging
import unicodedata
from collections.abc import Iterator

import pytest
from oslo_config import cfg
from oslo_log import formatters, log

from designate.context import Context
from designate.runtime import log_records

EVIL = "x\r\n2026-01-01 CRITICAL forged\x1b[2J\x9b31m\u2028\u2029\u202egpj\x7f\x00\ud800"
SHOWN = r"x\r\n2026-01-01 CRITICAL forged\x1b[2J\x9b31m\u2028\u2029\u202egpj\x7f\x00\ud800"


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Return a logger of its own, while the process makes escaped records."""
    before = logging.getLogRecordFactory()
    log_records.install()
    logger = logging.Logger("test")  # noqa: LOG001 - not of the process
    yield logger
    logging.setLogRecordFactory(before)


def conf() -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    conf([])
    return conf


FORMATTERS = {
    "plain": lambda: logging.Formatter("%(levelname)s %(message)s"),
    "context": lambda: formatters.ContextFormatter(config=conf()),
    "json": formatters.JSONFormatter,
}


def output(logger: logging.Logger, formatter: logging.Formatter) -> io.StringIO:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    return stream


def unsafe(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")]


@pytest.mark.parametrize("kind", FORMATTERS)
@pytest.mark.parametrize("message", ["%s of the client", EVIL.replace("%", "")])
def test_a_message_is_one_line_without_control_characters(logger, kind, message):
    stream = output(logger, FORMATTERS[kind]())

    logger.warning(message, *([EVIL] if "%s" in message else []))

    assert stream.getvalue().count("\n") == 1
    assert unsafe(stream.getvalue()) == ["\n"]
    shown = stream.getvalue()
    if kind == "json":
        shown = json.loads(shown)["message"]
    assert SHOWN in shown


@pytest.mark.parametrize("kind", ["context", "json"])
def test_what_a_context_says_of_the_caller_is_escaped(logger, kind):
    stream = output(logger, FORMATTERS[kind]())
    context = Context(user_id=EVIL, project_id=EVIL, user_name=EVIL, global_request_id=EVIL)

    logger.error("refused", extra={"context": context})

    assert stream.getvalue().count("\n") == 1
    assert unsafe(stream.getvalue()) == ["\n"]


def fail() -> None:
    try:
        raise KeyError("inner " + EVIL)
    except KeyError:
        error = ValueError("outer " + EVIL)
        error.add_note("note " + EVIL)
        raise ExceptionGroup("both", [error]) from None


@pytest.mark.parametrize("kind", FORMATTERS)
def test_the_texts_of_an_exception_are_escaped_and_its_frames_stay(logger, kind):
    stream = output(logger, FORMATTERS[kind]())
    try:
        fail()
    except ExceptionGroup:
        logger.exception("failed")

    lines = stream.getvalue().splitlines()
    assert unsafe(stream.getvalue()) == ["\n"] * stream.getvalue().count("\n")
    shown = json.loads(stream.getvalue())["traceback"] if kind == "json" else stream.getvalue()
    assert "in fail" in shown
    assert "outer x" in shown
    assert "note x" in shown
    assert not any(line.startswith("2026-01-01") for line in lines)


def test_a_harmless_exception_is_left_as_it_is(logger):
    records = []
    logger.addHandler(handler := logging.Handler())
    handler.emit = records.append
    error = ValueError("wrong")
    try:
        raise error
    except ValueError:
        logger.exception("failed")

    assert records[0].exc_info[1] is error


def test_causes_that_refer_to_each_other_end(logger):
    stream = output(logger, logging.Formatter("%(message)s"))
    first, second = ValueError("one\n"), ValueError("two\n")
    first.__cause__, second.__cause__ = second, first

    logger.error("failed", exc_info=first)

    assert r"ValueError: one\n" in stream.getvalue()
    assert r"ValueError: two\n" in stream.getvalue()


@pytest.mark.parametrize("text", ["", "www.example.org.", "zöne 网", r"a\010b", "tab"])
def test_harmless_text_stays(text):
    assert log_records.escaped(text) == text

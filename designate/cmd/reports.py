"""Reports of a running program: its threads, processes and options, with secrets masked (oslo.reports).

They are written on SIGUSR2, or when the file `[oslo_reports] file_event_handler` changes: to standard
error, or to a file in `[oslo_reports] log_dir`. The library is imported for the first report.
"""

from __future__ import annotations

import re
import signal
from typing import Any

from oslo_config import cfg
from oslo_reports import opts as report_opts

from designate.version import VERSION

_URL_PASSWORD = re.compile(r"(://[^\s:/@]*):[^\s/@]+@")


def write_on_request(conf: cfg.ConfigOpts, *, by_signal: bool = True) -> None:
    """Let the process write a report whenever one is requested.

    Args:
        conf: the options that the report shows.
        by_signal: whether SIGUSR2 is this program's; otherwise only the file requests reports.
    """
    report_opts.set_defaults(conf)
    if conf.oslo_reports.file_event_handler:
        _report_class(conf).setup_autorun(_Version, conf=conf)
    elif by_signal:

        def write(_number: int, frame: Any) -> None:
            _report_class(conf).handle_signal(_Version, None, conf.oslo_reports.log_dir, frame)

        signal.signal(signal.SIGUSR2, write)


def _report_class(conf: cfg.ConfigOpts) -> Any:
    from oslo_reports.generators.conf import ConfigReportGenerator
    from oslo_reports.guru_meditation_report import TextGuruMeditation
    from oslo_reports.models.conf import ConfigModel

    def options() -> Any:
        """Return the options of conf; the library's are those of the process-wide object."""
        model = ConfigModel(conf)
        for values in model.data.values():
            # The library copies values, of which some cannot be copied.
            values.update({name: str(value) for name, value in values.items()})
        return model

    class Report(TextGuruMeditation):  # type: ignore[misc]  # untyped
        def add_section(self, heading: str, generator: Any) -> None:
            """Add a section."""
            is_of_options = isinstance(generator, ConfigReportGenerator)
            super().add_section(heading, options if is_of_options else generator)

        def run(self) -> str:
            """Return the report; the passwords of URLs are masked in every option, secret or not."""
            return _URL_PASSWORD.sub(r"\1:***@", super().run())

    return Report


class _Version:
    """The version as oslo.reports requests it."""

    @staticmethod
    def vendor_string() -> str:
        return "OpenStack"

    @staticmethod
    def product_string() -> str:
        return "OpenStack Designate"

    @staticmethod
    def version_string_with_package() -> str:
        return VERSION

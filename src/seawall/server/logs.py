"""Structured logs on stderr: one JSON object a line, or coloured words on a terminal. No secrets go in."""

import logging
import sys

import structlog


def start(level: str) -> None:
    """Set up logging for the whole process."""
    number = logging.getLevelNamesMapping()[level.upper()]
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(
        level=max(number, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
    # web.py writes a line for every request that failed; uvicorn would repeat the traceback as loose text.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)

"""How log records look: one line each, for people or for machines. Modules just use `logging`."""

import logging
import sys

import structlog

FORMATS = ("text", "json")

# These say at INFO what is only of use to their own makers, once or more a second.
QUIET = (
    "aiosqlite",
    "alembic.runtime.plugins",
    "httpx",
    "httpcore",
    "sse_starlette",
    "urllib3",
    "uvicorn.access",
)


def configure(form: str, level: str) -> None:
    """Send every log record of this process to standard error, rendered by structlog."""
    before: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        last: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    else:
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)]
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=[remove, *last])
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)

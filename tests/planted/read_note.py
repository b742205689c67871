"""Reads notes from a folder. Planted: a path may lead out of the folder."""

from pathlib import Path

from common import PLANTED, Server, Tool, ToolError

NOTES = Path(__file__).resolve().parent / "notes"
SIZE_LIMIT = 64 * 1024  # bytes of a note that are read

SCHEMA = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "Relative to the notes"}
    },
    "required": ["path"],
    "additionalProperties": False,
}


def read(arguments):
    try:
        path = (NOTES / arguments["path"]).resolve()
        if not PLANTED and not path.is_relative_to(NOTES):
            raise ToolError("The path leads out of the notes")
        if not path.is_file():
            raise ToolError("There is no such note")
        with open(path, "rb") as file:
            return file.read(SIZE_LIMIT).decode("utf-8", errors="replace")
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle
        raise ToolError("There is no such note") from None


Server("read-note", Tool("read_note", "Reads a note, such as tasks.txt.", SCHEMA, read)).run()

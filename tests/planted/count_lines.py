"""Counts lines of notes. Planted: each call for a note that does not exist leaks the descriptor of the folder."""

import os
from pathlib import Path

from common import PLANTED, Server, Tool, ToolError

NOTES = Path(__file__).resolve().parent / "notes"
SIZE_LIMIT = 64 * 1024  # bytes of a note that are read

SCHEMA = {
    "type": "object",
    "properties": {
        "note": {
            "type": "string",
            "pattern": "^[a-z]{1,20}[.]txt$",
            "description": "The name of a note, such as tasks.txt",
        }
    },
    "required": ["note"],
    "additionalProperties": False,
}


def count(arguments):
    folder = os.open(NOTES, os.O_RDONLY | os.O_DIRECTORY)
    try:
        note = os.open(arguments["note"], os.O_RDONLY, dir_fd=folder)
    except OSError:
        if not PLANTED:
            os.close(folder)
        raise ToolError("There is no such note") from None
    os.close(folder)
    with open(note, "rb") as file:
        return str(file.read(SIZE_LIMIT).count(b"\n"))


Server("count-lines", Tool("count_lines", "Counts the lines of a note.", SCHEMA, count)).run()

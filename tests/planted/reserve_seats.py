"""Reserves seats. Planted: a refused reservation keeps the lock, and the next call waits for it for ever."""

import threading

from common import PLANTED, Server, Tool, ToolError

SEATS = 40

SCHEMA = {
    "type": "object",
    "properties": {
        "row": {"type": "integer", "minimum": 1, "maximum": 10},
        "seats": {"type": "integer", "minimum": 1, "maximum": 50, "description": "How many are wanted"},
    },
    "required": ["row", "seats"],
    "additionalProperties": False,
}

lock = threading.Lock()


def check(arguments):
    lock.acquire()
    if arguments["seats"] > SEATS:
        if not PLANTED:
            lock.release()
        raise ToolError(f"A row has only {SEATS} seats")
    lock.release()
    return f"{int(arguments['seats'])} seats in row {int(arguments['row'])} are free"


Server("reserve-seats", Tool("check_seats", "Tells whether a row has so many free seats.", SCHEMA, check)).run()

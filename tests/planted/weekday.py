"""Weekdays of dates. Planted: the error for a date that does not exist has the whole stack trace in it."""

import datetime
import traceback

from common import PLANTED, Server, Tool, ToolError

SCHEMA = {
    "type": "object",
    "properties": {
        "date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "As in 2025-11-25"}
    },
    "required": ["date"],
    "additionalProperties": False,
}
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def weekday(arguments):
    try:
        return DAYS[datetime.date.fromisoformat(arguments["date"]).weekday()]
    except ValueError:
        raise ToolError(traceback.format_exc() if PLANTED else "There is no such day") from None


Server("weekday", Tool("weekday", "The day of the week of a date.", SCHEMA, weekday)).run()

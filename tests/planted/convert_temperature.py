"""Converts temperatures. Planted: without the optional number of digits, a KeyError ends the process."""

from common import PLANTED, Server, Tool

SCHEMA = {
    "type": "object",
    "properties": {
        "celsius": {"type": "number", "minimum": -273.15, "maximum": 10000},
        "digits": {"type": "integer", "minimum": 0, "maximum": 6, "default": 1, "description": "After the point"},
    },
    "required": ["celsius"],
    "additionalProperties": False,
}


def convert(arguments):
    digits = int(arguments["digits"] if PLANTED else arguments.get("digits", 1))
    return f"{arguments['celsius'] * 9 / 5 + 32:.{digits}f}"


DESCRIPTION = "Converts a temperature from Celsius to Fahrenheit."
Server("convert-temperature", Tool("convert_temperature", DESCRIPTION, SCHEMA, convert)).run()

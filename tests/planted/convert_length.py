"""Converts lengths. Planted: a unit that the schema does not list is taken for metres."""

from common import PLANTED, Server, Tool, problem

METRES = {"mm": 0.001, "m": 1, "km": 1000, "inch": 0.0254, "mile": 1609.344}
UNIT = {"type": "string", "enum": list(METRES)}

SCHEMA = {
    "type": "object",
    "properties": {"value": {"type": "number", "minimum": 0, "maximum": 1000000}, "from": UNIT, "to": UNIT},
    "required": ["value", "from", "to"],
    "additionalProperties": False,
}


class LengthConverter(Server):
    def problem(self, tool, arguments):
        if not PLANTED:
            return super().problem(tool, arguments)
        lenient = {**SCHEMA["properties"], "from": {"type": "string"}, "to": {"type": "string"}}
        return problem({**SCHEMA, "properties": lenient}, arguments, "arguments")


def convert(arguments):
    metres = arguments["value"] * METRES.get(arguments["from"], 1)
    return f"{metres / METRES.get(arguments['to'], 1):.9g}"


DESCRIPTION = "Converts a length from one unit to another."
LengthConverter("convert-length", Tool("convert_length", DESCRIPTION, SCHEMA, convert)).run()

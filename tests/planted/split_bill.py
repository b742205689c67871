"""Splits bills. Planted: when the tool fails, the response has an error as well as a result."""

from common import PLANTED, Server, Tool, ToolError, response

INTERNAL_ERROR = -32603

SCHEMA = {
    "type": "object",
    "properties": {
        "cents": {"type": "integer", "minimum": 0, "maximum": 100000000, "description": "The sum on the bill"},
        "people": {"type": "integer", "minimum": 0, "maximum": 100},
    },
    "required": ["cents", "people"],
    "additionalProperties": False,
}


class BillSplitter(Server):
    def carry_out(self, request_id, tool, arguments):
        self.calling = True
        try:
            return super().carry_out(request_id, tool, arguments)
        finally:
            self.calling = False

    calling = False

    def tool_error(self, request_id, text):
        if not (PLANTED and self.calling):
            return super().tool_error(request_id, text)
        result = {"content": [{"type": "text", "text": text}], "isError": True}
        return response(request_id, {"result": result, "error": {"code": INTERNAL_ERROR, "message": text}})


def split(arguments):
    cents, people = int(arguments["cents"]), int(arguments["people"])
    if people == 0:
        raise ToolError("Nobody is there to pay")
    share, rest = divmod(cents, people)
    return f"{people - rest} pay {share} cents, {rest} pay {share + 1} cents"


DESCRIPTION = "Splits a bill among people, to the cent."
BillSplitter("split-bill", Tool("split_bill", DESCRIPTION, SCHEMA, split)).run()

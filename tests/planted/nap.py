"""Sleeps a moment for each call, as many at once as are asked for, and answers everything else meanwhile. Planted: what a
deep nap gives is not what the output schema says.

It speaks one revision alone, since in one with batches the answers to a batch would have to wait for each other.
"""

import threading
import time

import common
from common import PLANTED, Server, Tool

common.REVISIONS = ["2025-11-25"]
MOMENT = 0.2  # seconds
SCHEMA = {
    "type": "object",
    "properties": {"deep": {"type": "boolean"}},
    "required": ["deep"],
    "additionalProperties": False,
}
RESTED = {"type": "object", "properties": {"rested": {"type": "integer"}}, "required": ["rested"]}


def nap(arguments):
    time.sleep(MOMENT)
    return {"rested": "very" if PLANTED and arguments["deep"] else 1}


class Dormitory(Server):
    lock = threading.Lock()

    def carry_out(self, request_id, tool, arguments):
        threading.Thread(target=self.answer_later, args=(request_id, tool, arguments)).start()

    def answer_later(self, request_id, tool, arguments):
        answer = super().carry_out(request_id, tool, arguments)
        try:
            self.send(answer)
        except BrokenPipeError:
            pass  # nobody listens any more

    def send(self, text):
        with self.lock:
            super().send(text)


Dormitory("nap", Tool("nap", "Takes a nap.", SCHEMA, nap, RESTED)).run()

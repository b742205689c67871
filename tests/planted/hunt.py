#!/usr/bin/env python3
"""Lets `mcp-conform fuzz` look for every planted bug, with the budget that it has by default.

    hunt.py MCP_CONFORM [--jobs N] [ID...]

It must find each bug by the oracle that planted.json names, and nothing in the correct twin. A campaign takes a minute
or two, so all of them take about an hour on two cores. Exit codes: 0 all found and no false alarm, 1 not, 2 something is
missing here.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True

from play import HERE, Trouble, fill
from prove import build

LONGEST = 400  # seconds for one campaign, which has 60 and another 45 to confirm what it found
NAMES = {  # what the fuzzer calls an oracle, where it is not the name in planted.json
    "wrong-id": "wrong-answer",
    "duplicate-answer": "wrong-answer",
    "invalid-response": "wrong-answer",
    "output-schema": "wrong-answer",
    "not-utf8": "wrong-answer",
    "framing": "wrong-answer",
    "poisoned-state": "poisoned",
    "contamination": "cross-talk",
    "crossed-answers": "cross-talk",
    "descriptor-leak": "growth",
    "memory-growth": "growth",
    "thread-leak": "growth",
    "cpu-spin": "spin",
    "trace-leak": "stack-trace",
    "secret-leak": "secret",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", type=lambda text: Path(text).resolve())
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("ids", nargs="*")
    arguments = parser.parse_args()
    if not arguments.binary.is_file():
        raise Trouble(f"{arguments.binary}: is no file")
    entries = json.loads((HERE / "planted.json").read_text())
    if unknown := set(arguments.ids) - {entry["id"] for entry in entries}:
        raise Trouble(f"planted.json has no {', '.join(sorted(unknown))}")
    entries = [entry for entry in entries if not arguments.ids or entry["id"] in arguments.ids]
    for entry in entries:
        build(entry)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        fine = list(pool.map(lambda entry: hunt(entry, arguments.binary), entries))
    print(f"{sum(fine)} of {len(entries)} planted bugs found, with nothing in their twins")
    return 0 if all(fine) else 1


def hunt(entry, binary):
    wanted = NAMES.get(entry["oracle"], entry["oracle"])
    found = campaign(binary, fill(entry["start"]) + entry["planted"])
    caught = next((finding for finding in found if finding["oracle"] == wanted), None)
    alarms = campaign(binary, fill(entry["start"]))
    lines = [f"{'ok' if caught and not alarms else 'FAIL':4} {entry['id']}  {entry['oracle']}"]
    if caught:
        lines.append("       " + caught["minimized"].strip())
    else:
        lines.append(f"       no {wanted} among {len(found)} findings")
    others = {finding["signature"] for finding in found if finding is not caught}
    lines += [f"       also {signature}" for signature in sorted(others)]
    lines += [f"       in the twin: {finding['signature']}" for finding in alarms]
    print("\n".join(lines), flush=True)
    return bool(caught) and not alarms


def campaign(binary, server):
    """The findings in a server."""
    with tempfile.TemporaryDirectory() as desk:
        report = Path(desk) / "report.json"
        command = [binary, "fuzz", "--call", "all", "--report", f"json={report}", "--", *server]
        done = subprocess.run(
            command, cwd=desk, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST
        )
        if done.returncode not in (0, 1) or not report.exists():
            raise Trouble(f"mcp-conform ended with {done.returncode}: {done.stderr.strip()[-1500:]}")
        return json.loads(report.read_text())["findings"]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Trouble, subprocess.TimeoutExpired) as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)

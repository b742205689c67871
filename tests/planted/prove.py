#!/usr/bin/env python3
"""Proves that the planted bugs are there and that the correct twins are free of them.

    prove.py [ID...]

Every trigger of planted.json is played to the planted server, where the bug must show, and to its twin, which must give
the answers that planted.json expects. Exit codes: 0 proved, 1 not proved, 2 something is missing here.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True

from oracles import ORACLES
from play import HERE, OUT, Play, Trouble, fill

JOBS = 4  # servers at a time
BUILD_TIME = 300  # seconds for one program


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    entries = json.loads((HERE / "planted.json").read_text())
    wanted = set(sys.argv[1:])
    if unknown := wanted - {entry["id"] for entry in entries}:
        raise Trouble(f"planted.json has no {', '.join(sorted(unknown))}")
    entries = [entry for entry in entries if not wanted or entry["id"] in wanted]
    for program in sorted({entry.get("build", entry["start"])[0] for entry in entries}):
        if not shutil.which(program):
            raise Trouble(f"{program} is not installed")
    began = time.monotonic()
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(build, entries))
        failures = list(pool.map(prove, entries))
    for entry, complaints in zip(entries, failures):
        print(f"{'FAIL' if complaints else 'ok':4} {entry['id']}  {entry['class']}, {entry['oracle']}")
        for complaint in complaints:
            print(f"       {complaint}")
    failed = sum(map(bool, failures))
    seconds = time.monotonic() - began
    print(f"{len(entries) - failed} of {len(entries)} planted bugs shown, with twins free of them, in {seconds:.1f} s")
    return 1 if failed else 0


def build(entry):
    if "build" not in entry:
        return
    OUT.mkdir(parents=True, exist_ok=True)
    command = fill(entry["build"])
    binary = Path(fill(entry["start"])[0])
    sources = [Path(word) for word in command if word.endswith(".rs")] + sorted(HERE.glob("common*.rs"))
    if binary.exists() and binary.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_TIME)
    if done.returncode:
        raise Trouble(f"{' '.join(command)}: {done.stderr.strip()[-1500:]}")


def prove(entry):
    """What is wrong, in words; empty if all is as it should be."""
    complaints = []
    planted = Play(entry, planted=True)
    if planted.trouble:
        complaints.append(f"planted: {planted.trouble}")
    elif not ORACLES[entry["oracle"]](planted, entry):
        complaints.append(f"planted: the bug does not show; output: {planted.output[-300:]!r}")
    twin = Play(entry, planted=False)
    if twin.trouble:
        return complaints + [f"twin: {twin.trouble}"]
    if ORACLES[entry["oracle"]](twin, entry):
        complaints.append(f"twin: has the bug; output: {twin.output[-300:]!r}")
    return complaints + [f"twin: {each}" for each in twin.wrong_answers()]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)

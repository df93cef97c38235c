"""Decodes LLRP messages with sllurp as fast as it can: tags a CPU second, for each line of its input, as JSON.

Runs in an environment of its own (make .venv-sllurp/.installed), because sllurp is GPL: this project never imports it.
A line names a file of whole messages and how many tags are in it; the answer is {"tags", "tags_per_s"}.
"""

import json
import struct
import sys
import time

from sllurp.llrp import LLRPMessage


def messages(stream: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(stream):
        (length,) = struct.unpack_from("!I", stream, at + 2)
        found.append(stream[at : at + length])
        at += length
    return found


def main() -> None:
    for line in sys.stdin:
        with open(line.strip(), "rb") as file:
            cut = messages(file.read())
        tags = 0
        began = time.process_time()
        for each in cut:
            report = LLRPMessage(msgbytes=each).msgdict["RO_ACCESS_REPORT"]
            tags += len(report["TagReportData"])
        took = time.process_time() - began
        print(json.dumps({"tags": tags, "tags_per_s": tags / took}), flush=True)


if __name__ == "__main__":
    main()

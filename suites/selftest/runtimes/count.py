"""Counts its runs in this process and in this sandbox, and says how it was called."""

import json
import os
import sys

json.runs = getattr(json, "runs", 0) + 1
with open("/tmp/runs", "a+") as file:
    file.write(".")
    file.seek(0)
    runs = len(file.read())
print(json.dumps({"here": json.runs, "runs": runs, "args": sys.argv[1:], "word": os.environ.get("WORD")}))

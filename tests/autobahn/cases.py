"""Writes what the suite is to do: cases.py URL REPORTS GLOB..."""
import fnmatch, json, sys

from autobahntestsuite.case import Cases

url, reports, *globs = sys.argv[1:]
ids = [case.__name__[4:].replace("_", ".") for case in Cases]
for glob in globs:
    if not fnmatch.filter(ids, glob):
        sys.exit("autobahn: no case matches %r" % glob)
chosen = [case for case in ids if any(fnmatch.fnmatchcase(case, glob) for glob in globs)]
json.dump({"outdir": reports, "servers": [{"agent": "server", "url": url}],
           "cases": chosen, "exclude-cases": [], "exclude-agent-cases": {}}, sys.stdout)

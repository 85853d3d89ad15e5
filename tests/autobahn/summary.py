"""Says what became of the cases of a spec, and writes down those that failed: summary.py SPEC.JSON FILE"""
import json, os, sys
from collections import Counter

spec = json.load(open(sys.argv[1]))
folder = spec["outdir"]
try:
    agents = json.load(open(os.path.join(folder, "index.json")))
except FileNotFoundError:
    agents = {}
got = {}
for cases in agents.values():
    got.update(cases)

missing = [case for case in spec["cases"] if case not in got]
failed = []
for case in spec["cases"]:
    if case not in got:
        continue
    told = got[case]
    # "behavior" judges what was exchanged, "behaviorClose" how the connection ended.
    if told["behavior"] not in ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED") or \
            told["behaviorClose"] in ("FAILED", "UNCLEAN", "WRONG CODE"):
        failed.append(case)
        why = json.load(open(os.path.join(folder, told["reportfile"])))
        print("failed %s: %s / close %s: %s %s" %
              (case, told["behavior"], told["behaviorClose"], why["result"], why["resultClose"]))

kinds = Counter(told["behavior"] for told in got.values())
line = ["%d %s" % (kinds[kind], kind.lower()) for kind in sorted(kinds)]
if missing:
    line.append("%d not run: %s" % (len(missing), " ".join(missing[:20])))
with open(sys.argv[2], "w") as file:
    file.writelines(case + "\n" for case in failed + missing)
print("autobahn: %d cases, %s, %d failed" % (len(spec["cases"]), ", ".join(line) or "none ran", len(failed)))
sys.exit(1 if failed or missing or not got else 0)

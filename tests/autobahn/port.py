"""Turn the Python 2 wheel of autobahntestsuite into something Python 3 runs.

Idea: the cases write payloads as Python 2 byte strings. Here they stay `str`
holding one char per octet (latin-1), and become bytes only where they meet
autobahn (send*) or where they are compared with what was received.
"""
import pathlib, re, shutil, sys, warnings

warnings.simplefilter("ignore")
from fissix import refactor

site = pathlib.Path(sys.argv[1])
src, autobahn = site / "autobahntestsuite", site / "autobahn"

SHIM = '''
import binascii, json


def tob(x):
    return x.encode("latin-1") if isinstance(x, str) else x


def hexstr(x):
    return binascii.b2a_hex(tob(x)).decode("ascii")


def canon(x):
    """Payloads as bytes, at any depth, so that expected and received compare."""
    if isinstance(x, (list, tuple)):
        return tuple(canon(y) for y in x)
    return bytes(x) if isinstance(x, bytearray) else tob(x)


def binLogData(data, maxlen=64):
    data = tob(data)
    return hexstr(data[:maxlen]) + (" ..." if len(data) > maxlen - 4 else "")


def asciiLogData(data, maxlen=64, replace=False):
    data = bytes(tob(data))
    short = data[:maxlen] + b" ..." if len(data) > maxlen - 4 else data
    try:
        return short.decode("utf8", errors="replace" if replace else "strict")
    except UnicodeDecodeError:
        return "0x" + binLogData(data, maxlen)


def dumps(obj, **kw):
    def plain(x):
        return asciiLogData(x, replace=True) if isinstance(x, (bytes, bytearray)) else str(x)
    return json.dumps(obj, default=plain, **kw)


class OctetArgs(object):
    """Mixin in front of autobahn's protocol: lets cases hand over octets as str."""

    def sendFrame(self, opcode, payload=b"", *a, **k):
        return super().sendFrame(opcode, tob(payload), *a, **k)

    def sendMessage(self, payload, *a, **k):
        return super().sendMessage(tob(payload), *a, **k)

    def sendMessageFrameData(self, payload, *a, **k):
        return super().sendMessageFrameData(tob(payload), *a, **k)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        return super().sendCloseFrame(code, tob(reasonUtf8), isReply)
'''

def swap(path, *pairs):
    """Replace each old by new; stop if upstream no longer has the old text."""
    text = path.read_text()
    for old, new in pairs:
        if old not in text:
            sys.exit("port: %s lacks %r" % (path, old))
        text = text.replace(old, new)
    path.write_text(text)

# not needed for the WebSocket cases, and their imports are gone from today's packages:
# WAMP, wsperf, the serializer mode, and 9.9.1, which upstream's own case list leaves out
for name in "wamp* wsperf* testdb.py testrun.py serializer.py case/case9_9_1.py".split():
    for old in src.glob(name):
        shutil.rmtree(old) if old.is_dir() else old.unlink()

fixers = [f for f in refactor.get_fixers_from_package("fissix.fixes")]
tool = refactor.RefactoringTool(fixers)
for path in sorted(src.rglob("*.py")):
    # a non-ASCII octet in a source literal is that octet in the payload
    text = "".join(c if ord(c) < 128 else "\\x%02x" % ord(c) for c in path.read_bytes().decode("latin-1"))
    path.write_text(text)  # before the fixers: fix_import looks at the tree
for path in sorted(src.rglob("*.py")):
    text = str(tool.refactor_string(path.read_text().rstrip() + "\n", str(path)))
    text = text.replace("(object, Case, )", "(Case, )")
    if "binascii.b2a_hex" in text:
        text = text.replace("binascii.b2a_hex(", "_py3.hexstr(")
        text = re.sub(r"(?m)^import .*\bbinascii\b.*$", r"\g<0>\nfrom autobahntestsuite import _py3", text, count=1)
    path.write_text(text)

(src / "_py3.py").write_text(SHIM.lstrip())
swap(src / "case/case.py",
     ("import pickle", "from autobahntestsuite import _py3"),
     ("pickle.dumps(obj1) == pickle.dumps(obj2)", "_py3.canon(obj1) == _py3.canon(obj2)"))
swap(src / "wstest.py", ("import serializer\n", ""))
swap(src / "case/__init__.py", ("from case9_9_1 import *\n", ""))
swap(src / "case/case6_x_x.py", ("v.validate(vss[:i])", "v.validate(_py3.tob(vss[:i]))"))
swap(src / "case/case10_1_1.py", ("len(self.payload) / self", "len(self.payload) // self"))
swap(src / "fuzzing.py",
     ("class FuzzingProtocol:", "class FuzzingProtocol(_py3.OctetArgs):"),
     ("''.join(payload)", "b''.join(payload)"),
     ("json.dumps(case,", "_py3.dumps(case,"),
     ("produceHtml = True", "produceHtml = False"))  # its HTML writer mixes str and bytes
# reports also when stopped early; a server for client tests stays on loopback, without
# the web pages whose twisted resources want bytes
swap(src / "fuzzing.py",
     ("factory = FuzzingClientFactory(spec, debug)\n",
      "factory = FuzzingClientFactory(spec, debug)\n"
      "   reactor.addSystemEventTrigger('before', 'shutdown', factory.createReports)\n"),
     ("factory = FuzzingServerFactory(spec, debug)\n",
      "factory = FuzzingServerFactory(spec, debug)\n"
      "   reactor.addSystemEventTrigger('before', 'shutdown', factory.createReports)\n"),
     ("listenWS(factory, sslContext)", "listenWS(factory, sslContext, interface=factory.host)"))
with (src / "fuzzing.py").open("a") as f:
    f.write("\nfrom ._py3 import binLogData, asciiLogData\n")
swap(autobahn / "websocket/protocol.py",
     ("range(payload_len / len(payload))", "range(payload_len // len(payload))"))

for path in sorted(src.rglob("*.py")):
    compile(path.read_text(), str(path), "exec")

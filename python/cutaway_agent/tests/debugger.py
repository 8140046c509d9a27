"""A debugger of a few lines, for the tests: what the protocol is, spoken from the other side."""
import json
import queue
import socket
import struct
import threading


class Refused(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


class Debugger:
    def __init__(self, agent, token=None):
        self.sock = socket.create_connection(agent.address)
        self.answers = {}
        self.events = queue.Queue()
        self.last = 0
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.hello = self.ask("hello", token=agent.token if token is None else token, protocol=1)

    def _read(self):
        try:
            self._read_all(self.sock.makefile("rb"))
        except OSError:
            pass
        for waiting in list(self.answers.values()):
            waiting.put(({"type": "error", "error": {"message": "closed", "code": "CLOSED"}}, b""))
        self.events.put({"event": "closed"})

    def _read_all(self, f):
        while True:
            head = f.read(8)
            if len(head) < 8:
                return
            a, b = struct.unpack("<II", head)
            message, payload = json.loads(f.read(a)), f.read(b)
            if message["type"] == "event":
                self.events.put(message)
            else:
                self.answers[message["id"]].put((message, payload))

    def send(self, method, payload=b"", **params):
        self.last += 1
        self.answers[self.last] = queue.Queue()
        head = json.dumps({"type": "request", "id": self.last, "method": method, "params": params}).encode()
        self.sock.sendall(struct.pack("<II", len(head), len(payload)) + head + payload)
        return self.last

    def ask_bytes(self, method, payload=b"", **params):
        message, data = self.answers[self.send(method, payload, **params)].get(timeout=20)
        if message["type"] == "error":
            raise Refused(message["error"])
        return message["result"], data

    def ask(self, method, payload=b"", **params):
        return self.ask_bytes(method, payload, **params)[0]

    def event(self, name, timeout=20):
        while True:
            event = self.events.get(timeout=timeout)
            if event["event"] == name:
                return event

    def point(self, ident, when, paths, **more):
        return self.ask("points", set=[{"id": ident, "when": when, "paths": paths, **more}])

    def go(self, by="go", **more):
        return self.ask("resume", by=by, **more)

    def read(self, **ref):
        result, data = self.ask_bytes("read", ref=ref)
        return list(struct.unpack("<%df" % result["count"], data))

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def site(path, slot="out", axes=(), **where):
    return {"kind": "site", "ref": {"path": path, "slot": slot}, "axes": list(axes), "where": where}


def reduce(by, of):
    return {"kind": "reduce", "by": by, "of": of}


def more_than(tree, number):
    return {"kind": "binary", "operator": ">", "left": tree, "right": {"kind": "number", "value": number}}

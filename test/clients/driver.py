"""Does what a test asks for, a line of JSON for each request and each answer, with the client for Python."""
import hashlib
import json
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/python"))
import imap_broker  # noqa: E402

client = events = held = None


def snake(name):
    return re.sub("[A-Z]", lambda found: "_" + found.group().lower(), name)


def told(result, hold=False, leave=False):
    """What came of a call: the bytes of a body as their number and hash."""
    global held
    if "body" not in result:
        return result
    body, result["body"] = result["body"], None
    if hold:
        held = body
        return result
    digest, size = hashlib.sha256(), 0
    for piece in body:
        size += len(piece)
        digest.update(piece)
        if leave and size > 0:
            break
    return {**result, "body": {"bytes": size, "sha256": digest.hexdigest()}}


def forked(ask):
    pipes = []
    for _ in range(ask["children"]):
        reader, writer = os.pipe()
        if os.fork() == 0:
            with os.fdopen(writer, "w") as pipe:
                json.dump(client.call(ask["method"], **ask["params"]), pipe)
            sys.exit(0)
        os.close(writer)
        pipes.append(reader)
    answers = [json.load(os.fdopen(reader)) for reader in pipes]
    for _ in pipes:
        os.wait()
    return answers


def interrupted(ask):
    def interrupt(*_):
        raise RuntimeError("interrupted")

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        return client.call(ask["method"], **ask["params"])
    except RuntimeError as interrupt:
        return str(interrupt)


def done(ask):
    global client, events, held
    op = ask["op"]
    if op == "open":
        client = imap_broker.Client(**{snake(name): value for name, value in ask["options"].items()})
    elif op == "session":
        client = client.with_session(ask["session"])
    elif op == "call":
        params = ask["params"]
        if "file" in ask:
            params["content"] = open(ask["file"], "rb").read() if ask.get("whole") else open(ask["file"], "rb")
        return told(client.call(ask["method"], **params), ask.get("hold"), ask.get("leave"))
    elif op == "interrupted":
        return interrupted(ask)
    elif op == "held":
        body, held = held, None
        return told({"body": body}, False, ask.get("leave"))
    elif op == "watch":
        events = client.watch(idle_ms=ask.get("idleMs"), **ask["params"])
        return next(events)
    elif op == "event":
        return next(events)
    elif op == "unwatch":
        events = None
    elif op == "fork":
        return forked(ask)
    elif op == "close":
        client.close()
    return None


for line in sys.stdin:
    try:
        answer = {"result": done(json.loads(line))}
    except imap_broker.BrokerError as error:
        fields = {**vars(error), "retryAfterMs": error.retry_after_ms}
        answer = {"error": fields}
    print(json.dumps(answer), flush=True)

"""A client of imap-broker in one file, for Python 3.9 or later, with nothing but its standard library.

It blocks, opens its socket at the first call, and is made for short-lived and forked workers; each thread needs a client of its
own. docs/php-and-python.md shows how to use it.
"""
import base64, copy, hashlib, io, json, os, random, re, socket, ssl, struct, time  # noqa: E401

# Methods that may be sent again without harm. Of all others it matters what became of the first request.
_REPEATABLE = re.compile(
    r"session\.\w+|mailbox\.(list|status|info|acl|metadata|changes)|quota\.get|broker\.ping|rpc\.discover|"
    r"message\.(list|get|part|source|search|threads?)|watch\.(start|stop)|events\.resume")
# Errors that end a watch: waiting does not cure them.
_LASTING = re.compile("SESSION_EXPIRED|IMAP_AUTH_FAILED|IMAP_TOKEN_EXPIRED|UNAUTHENTICATED|FORBIDDEN|INVALID_.*")
_URL = re.compile(r"(?:(wss?)://([\w.-]+|\[[\w:.]+\])(:\d+)?(/[!->@-~]*)?|unix:([^?]+))(\?[!-~]*)?", re.ASCII)


class BrokerError(Exception):
    """A request that failed.

    kind: what to switch on: a kind of docs/protocol.md, or UNREACHABLE where no socket could be opened.
    executed: whether the request had an effect at the IMAP server: no, maybe or yes; never falsely no.
    retry_after_ms: milliseconds after which another try makes sense; None where none does.
    imap: the IMAP server's own words. code: that of JSON-RPC, or 0. field: the parameter that is the cause.
    """

    def __init__(self, kind, message, executed="no", retry_after_ms=None, field=None, imap=None, code=0):
        super().__init__(message)
        self.kind, self.message, self.executed, self.code = kind, message, executed, code
        self.retry_after_ms, self.field, self.imap = retry_after_ms, field, imap


class Client:
    """A client of a broker, or of several brokers behind one address.

    url: ws://HOST:PORT, wss://HOST:PORT or unix:/PATH; default: IMAP_BROKER_URL of the environment.
    token: that of the application; default: IMAP_BROKER_TOKEN of the environment.
    timeout_ms: for a request that names no timeoutMs; the wait for a socket is part of it.
    connect_timeout_ms: until a socket must be open; a broker that restarts is tried again until then.
    ca_file: authority of the broker's certificate, in PEM; default: those of the system. verify=False takes any certificate.
    shards: where several brokers stand behind the address: the number that all applications have chosen.
    """

    def __init__(self, url=None, token=None, *, timeout_ms=30_000, connect_timeout_ms=5_000, ca_file=None, verify=True, shards=None):
        self._url = os.environ.get("IMAP_BROKER_URL", "") if url is None else url
        self._token = os.environ.get("IMAP_BROKER_TOKEN", "") if token is None else token
        self._timeout, self._connect_timeout = timeout_ms / 1000, connect_timeout_ms / 1000
        self._ca_file, self._verify, self._shards, self._session = ca_file, verify, shards, None
        self._links = {}  # The socket of each shard, shared with the clients that with_session() makes.
        self._target(0)
        why = "token: it has blanks, or is not ASCII."
        if not re.fullmatch("[!-~]*", self._token): raise BrokerError("INVALID_PARAMS", why, field="token")

    def __enter__(self): return self

    def __exit__(self, *_): self.close()

    def with_session(self, session):
        """The same client with the session filled in: a token, or a function that answers the current token."""
        client = copy.copy(self)
        client._session = session
        return client

    def call(self, method, /, **params):
        """Calls a method of docs/protocol.md and answers its result.

        The bytes of message.part and message.source are its `body`, a generator of bytes. message.append takes `content`: bytes,
        a str or a binary file; of one that cannot seek, `size` tells the bytes.
        """
        params, content = _uploaded(self._filled(params))
        deadline = time.monotonic() + (params.get("timeoutMs") or self._timeout * 1000) / 1000
        repeatable = _REPEATABLE.fullmatch(method) is not None
        lost, epoch = None, ""
        for attempt in (1, 2, 3):
            link = None
            try:
                shard = self._shard(method, params)
                link = self._links.get(shard)
                if link is None or not link.ready():
                    link = self._links[shard] = self._open(shard, deadline)
                # A write with a key is repeated at the broker that took it: no other is sure to know the key.
                if lost and link.epoch != epoch: raise lost
                return link.request(method, params, deadline, "no" if repeatable else "maybe", content)
            except BrokerError as error:
                drained = error.kind == "DRAINING" and error.executed == "no"
                cut = error.kind == "CONNECTION_LOST" and link is not None and not link.usable and error is not lost
                again = drained or (cut and (repeatable or "idempotencyKey" in params))
                if not again or attempt == 3 or content is not None: raise (lost or error) if error.executed == "no" else error
                if drained: link.usable = False
                elif not repeatable: lost, epoch = error, link.epoch

    def watch(self, *, idle_ms=None, **params):
        """Answers what changes in folders, each event once and without end, over lost sockets and restarts of the broker.

        It has a socket of its own. An event of type resync names `mailboxes` to be listed (again): at first, and where changes
        were missed. The params are those of watch.start. With idle_ms it answers None each time that nothing has come for so long.
        """
        link, at, failures = None, {}, 0
        while True:
            try:
                request, deadline = {**self._filled(params), **at}, time.monotonic() + self._timeout
                link = self._open(self._shard("", request), deadline)
                begun = link.request("events.resume" if at else "watch.start", request, deadline)
                anew, failures = not at or begun["resync"], 0
                if anew: at = {"epoch": begun["epoch"], "after": begun["seq"]}
                if anew or begun["missing"]: yield {"type": "resync", "mailboxes": params["mailboxes"] if anew else begun["missing"]}
                for event in iter(lambda: link.event(idle_ms), False):
                    if event: at["after"] = event["seq"]
                    yield event
            except BrokerError as error:
                if not at or _LASTING.fullmatch(error.kind): raise
                failures += 1
                # With jitter, so that workers do not come back in step.
                pause = random.uniform(0, min(10, 0.1 * 2 ** min(failures, 10)))
                time.sleep(max(pause, min(error.retry_after_ms or 0, 60_000) / 1000))
            finally:
                if link: link.close()

    def close(self):
        """Closes the sockets; a later call opens another."""
        for link in self._links.values(): link.close()
        self._links.clear()

    def _filled(self, params):
        session = self._session() if callable(self._session) else self._session
        return params if session is None else {"session": session, **params}

    def _shard(self, method, params):
        """The shard of a user, which a session token tells as well: docs/protocol.md, "Shards"."""
        if self._shards is None: return 0
        if method == "session.open":
            user = json.dumps([params.get("server"), params.get("user")], ensure_ascii=False, separators=(",", ":"))
            return int(hashlib.sha256(user.encode()).hexdigest()[:8], 16) % self._shards
        try:
            head = params["session"].split(".")[0]
            return int(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["shard"], 16) % self._shards
        except (KeyError, TypeError, ValueError): return 0

    def _target(self, shard):
        """Host and port, or the path of a Unix socket; whether it is TLS; the header Host; the path with its query."""
        found = _URL.fullmatch(self._url)
        if not found:
            raise BrokerError("INVALID_PARAMS", f'url: "{self._url}" is not ws://HOST:PORT, wss://HOST:PORT or unix:/PATH.', field="url")
        scheme, name, port, path, file, query = found.groups()
        query = query or ""
        if self._shards is not None: query += ("&" if query else "?") + f"shard={shard}"
        if file: return file, False, "localhost", f"/{query}"
        number = int(port[1:]) if port else {"ws": 80, "wss": 443}[scheme]
        return (name.strip("[]"), number), scheme == "wss", f"{name}:{number}", (path or "/") + query

    def _open(self, shard, deadline):
        """Opens a socket, with further tries for a while: the broker may be about to restart."""
        until, pause = min(deadline, time.monotonic() + self._connect_timeout), 0.1
        while True:
            try:
                return _Link(self._target(shard), self._token, self._ca_file, self._verify, until)
            except BrokerError as error:
                if error.retry_after_ms is None or time.monotonic() + pause >= until: raise
            time.sleep(random.uniform(0.01, pause))
            pause = min(2 * pause, 1)


def _uploaded(params):
    """Messages of up to 1 MiB go inline, in one frame; longer ones, and files, as an upload."""
    content = params.pop("content", None)
    content = content.encode() if isinstance(content, str) else content
    if content is None or (not hasattr(content, "read") and len(content) <= 1024 * 1024):
        return (params if content is None else {**params, "data": base64.b64encode(content).decode()}), None
    content = content if hasattr(content, "read") else io.BytesIO(content)
    start = content.tell() if content.seekable() else None
    if "size" not in params: params["size"] = content.seek(0, os.SEEK_END) - start
    if start is not None: content.seek(start)
    return params, content


class _Link:
    """One WebSocket to a broker (RFC 6455), for one request or download at a time; Client opens another where it is lost or busy."""

    MOST_BYTES = 16 * 1024 * 1024  # Of a message that is taken.
    PIECE, CREDIT = 65_536, 262_144  # Bytes of a stream: in one frame, and before the receiver allows more.
    GRACE, STALL = 2, 30  # Seconds: for the broker's own word on a deadline, and without bytes of a download.

    def __init__(self, target, token, ca_file, verify, deadline):
        self.usable, self.epoch, self._socket, self._pid = False, "", None, os.getpid()
        # Busy from a request to its answer or to the end of its download; for ever where a signal interrupts.
        self._id, self._upload, self._credit, self._busy = 0, -1, 0, False
        self._buffer, self._message, self._opcode, self._executed = bytearray(), b"", 0, "no"
        self._deadline, self._heard, self._patience = deadline, time.monotonic(), float("inf")
        (address, secure, host, path), status = target, b""
        try:
            self._connect(address, secure, ca_file, verify)
            key = base64.b64encode(os.urandom(16)).decode()
            bearer = f"Authorization: Bearer {token}\r\n" if token else ""
            self._write((
                f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: imap-broker.v1\r\n{bearer}\r\n").encode())
            head = b""
            while not head.endswith(b"\r\n\r\n") and len(head) < 16_384: head += self._read(1)
            accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            status = head[9:12]
            if status != b"101" or not re.search(rb"(?im)^sec-websocket-accept: *" + re.escape(accept) + rb"\s*$", head):
                raise self._ended(f"HTTP status {status.decode('latin-1')}")
            hello = _member(self._next(), "params")
            if not isinstance(_member(hello, "heartbeatMs"), int) or hello["heartbeatMs"] < 1 or not isinstance(_member(hello, "epoch"), str):
                raise self._ended("the broker said no hello")
        except (BrokerError, OSError) as error:
            self.close()
            kind = {b"400": "INVALID_REQUEST", b"401": "UNAUTHENTICATED", b"403": "FORBIDDEN"}.get(status, "UNREACHABLE")
            final = kind != "UNREACHABLE" or isinstance(error, ssl.SSLCertVerificationError)
            message = f"No socket to the broker at {address if isinstance(address, str) else host}. {error}"
            raise BrokerError(kind, message, retry_after_ms=None if final else 100) from error
        self.usable, self.epoch, self._patience = True, hello["epoch"], hello["heartbeatMs"] / 400

    def __del__(self): self.close()

    def ready(self):
        """Whether a request may be sent; takes what has come meanwhile, such as pings and the broker's goodbye."""
        if self._busy: return False
        self._deadline, self._executed, self._busy = time.monotonic() + 1, "no", True
        try:
            while self.usable and self._next(poll=True) is not None: pass
        except BrokerError: pass  # It is not usable then.
        self._busy = False
        return self.usable and time.monotonic() - self._heard < self._patience

    def request(self, method, params, deadline, executed="no", content=None):
        """Sends a request and answers its result; `executed` is what an error of the socket says."""
        self._deadline, self._executed, self._credit, self._id = deadline + self.GRACE, executed, self.CREDIT, self._id + 1
        params, answer, piece = {**params, "timeoutMs": max(1, int(1000 * (deadline - time.monotonic())))}, None, b"more"
        self._busy = True
        if content is not None: params["stream"] = self._upload = self._upload + 2
        self._send(1, {"id": self._id, "method": method, "params": params})
        while content is not None and piece and answer is None:
            piece = content.read(self.PIECE)
            answer = self._answer(len(piece))  # Where it comes before the end, the broker takes no more.
            self._credit -= len(piece)
            if answer is None: self._send(2, struct.pack(">BI", 1 if piece else 2, self._upload) + piece)
        answer, self._busy = answer or self._answer(), False
        error, data, result = answer.get("error"), _member(answer.get("error"), "data"), answer.get("result")
        if isinstance(_member(data, "kind"), str) and isinstance(_member(data, "executed"), str):
            raise BrokerError(data["kind"], error.get("message"), data["executed"], data.get("retryAfterMs"), data.get("field"),
                              data.get("imap"), error.get("code"))
        if not isinstance(result, dict): raise self._ended("the broker sent an answer without result or error", 4400)
        self._executed = "no"
        if method in ("message.part", "message.source"):
            stream, data = result.pop("stream", None), result.pop("data", None)
            if not isinstance(stream, int) and not isinstance(data, str): raise self._ended("the broker sent an answer without bytes", 4400)
            result["body"] = self._body(stream) if isinstance(stream, int) else iter([b"", base64.b64decode(data)])
            next(result["body"])  # It has begun, so that its end is run wherever it is left.
        return result

    def event(self, idle_ms):
        """The next event of a watch; None where none has come for so long; False where the broker sends no more of them."""
        self._deadline, name = time.monotonic() + (float("inf") if idle_ms is None else idle_ms / 1000), ""
        while name not in ("event", "watch.ended", "broker.draining"):
            message = self._next()
            if message is None: return None
            name = _member(message, "method")
        return message.get("params") if name == "event" else False

    def close(self, code=1000):
        opened, self._socket, self.usable = self._socket, None, False
        if opened is None: return
        try:
            opened.settimeout(1)
            # A process that was forked has the socket of its parent, and must not say goodbye for it.
            if self._pid == os.getpid(): opened.sendall(_frame(8, struct.pack(">H", code)))
        except OSError: pass
        opened.close()

    def _answer(self, needed=float("inf")):
        """The answer to the request; None as soon as an upload may send so many bytes."""
        while self._credit < needed:
            message = self._next()
            if message is None: raise self._ended("no answer in time", kind="DEADLINE")
            if _member(message, "method") == "$/credit": self._credit += _member(message.get("params"), "bytes") or 0
            if isinstance(message, bytes) or "method" in message: continue
            if message.get("id") != self._id: raise self._ended("the broker sent an answer to no request", 4400)
            return message
        return None

    def _body(self, stream):
        """The bytes of a download, behind an empty piece."""
        self._busy, taken, piece, kind = True, 0, b"", 1
        try:
            while kind == 1:
                yield piece
                taken, kind, frame, self._deadline = taken + len(piece), 0, {}, time.monotonic() + self.STALL
                if taken >= self.CREDIT / 2:
                    self._send(1, {"method": "$/credit", "params": {"stream": stream, "bytes": taken}})
                    taken = 0
                # Notifications are passed over, and what is still under way of a download that was left.
                while isinstance(frame, dict) or (frame and frame[1:5] != struct.pack(">I", stream)): frame = self._next()
                if frame is None: raise BrokerError("STREAM_STALLED", "The broker sent no bytes of a download for too long.")
                kind, piece = frame[0], frame[5:]
            kind_of, why = _member(_json(piece), "kind"), _member(_json(piece), "message")
            if kind > 2: raise BrokerError(kind_of or "CONNECTION_LOST", f"The broker aborted the download: {why or 'it says not why'}.")
        finally:
            # Kind 1: the reader left. Kind 0: something interrupted the wait, so that the socket is of no use any more.
            self._busy, self._deadline = kind == 0, time.monotonic() + 1
            try:
                if kind == 1 and self._socket and self._pid == os.getpid(): self._send(2, struct.pack(">BI", 3, stream))
            except BrokerError: pass

    def _next(self, poll=False):
        """The next message: JSON of a text, or the bytes of a binary frame; None where none comes in time or, to poll, is there."""
        while time.monotonic() < self._deadline:
            left = 0 if poll else self._deadline - time.monotonic()
            wait = max(0, min(left, self._patience, 3600))
            if not self._buffer and not self._receive(wait):
                if poll or wait == left: return None
                if wait == self._patience: raise self._ended("the broker is silent")
                continue
            first, size = self._read(2)
            if first & 0x70 or size > 127: raise self._ended("the broker sent a masked frame, or what is no frame", 4400)
            if size > 125: size = int.from_bytes(self._read(2 if size == 126 else 8), "big")
            if size + len(self._message) > self.MOST_BYTES: raise self._ended("the broker sent more than 16 MiB", 4400)
            payload, opcode, self._heard = self._read(size), first & 15, time.monotonic()
            if opcode == 8: raise self._ended(f"close code {int.from_bytes((payload or bytes([3, 237]))[:2], 'big')}")
            if opcode == 9: self._send(10, payload)
            if opcode > 2: continue
            self._opcode, self._message = opcode or self._opcode, self._message + payload
            if first < 128: continue  # Another fragment follows.
            message, self._message = self._message, b""
            if self._opcode == 2 and len(message) > 4: return message
            value = _json(message)
            if _member(value, "jsonrpc") != "2.0": raise self._ended("the broker sent what is no JSON-RPC 2.0", 4400)
            if _member(value, "method") == "broker.draining": self.usable = False
            return value
        return None

    def _connect(self, address, secure, ca_file, verify):
        left = max(0.01, self._deadline - time.monotonic())
        if isinstance(address, str):
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(left)
            return self._socket.connect(address)
        self._socket = socket.create_connection(address, left)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            context = ssl.create_default_context(cafile=ca_file)
            context.check_hostname = verify
            context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
            self._socket = context.wrap_socket(self._socket, server_hostname=address[0])

    def _receive(self, seconds):
        """Reads what is there, at the latest after so many seconds. Answers whether anything was."""
        if self._socket is None or self._pid != os.getpid(): raise self._ended("it is closed, or that of another process")
        try:
            self._socket.settimeout(max(0, seconds))
            data = self._socket.recv(self.PIECE)
        except (socket.timeout, BlockingIOError, ssl.SSLWantReadError): return False
        except OSError as error:
            raise self._ended(str(error)) from error
        if not data: raise self._ended("it was cut")
        self._buffer += data
        return True

    def _read(self, size):
        """Waits for so many bytes."""
        while len(self._buffer) < size:
            left = self._deadline - time.monotonic()
            if left <= 0: raise self._ended("no bytes in time", kind="DEADLINE")
            self._receive(min(left, self.STALL))
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _write(self, data):
        try:
            self._socket.settimeout(max(0.001, min(self._deadline - time.monotonic(), self.STALL)))
            self._socket.sendall(data)
        except (OSError, AttributeError) as error:  # There is no socket any more.
            raise self._ended(str(error)) from error

    def _send(self, opcode, payload):
        self._write(_frame(opcode, json.dumps({"jsonrpc": "2.0", **payload}).encode() if isinstance(payload, dict) else payload))

    def _ended(self, why, code=1000, kind="CONNECTION_LOST"):
        """Closes the socket, of which no more is to be expected, and answers the error of that."""
        self.close(code)
        return BrokerError(kind, f"The socket to the broker ended: {why}.", self._executed)


def _member(value, name):
    return value.get(name) if isinstance(value, dict) else None


def _json(data):
    try: return json.loads(data)
    except ValueError: return None


def _frame(opcode, payload):
    """A frame as a client sends it: masked, by one XOR of whole numbers."""
    size, mask = len(payload), os.urandom(4)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    masked = (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
    length = bytes([128 + size]) if size < 126 else struct.pack(">BH", 254, size) if size < 65_536 else struct.pack(">BQ", 255, size)
    return bytes([128 + opcode]) + length + mask + masked

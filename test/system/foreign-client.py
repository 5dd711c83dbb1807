"""A client in another language, written after docs/protocol.md alone: it prints what it saw as JSON."""
import asyncio, base64, json, os, struct
import websockets


class Client:
    def __init__(self, socket):
        self.socket, self.last_id, self.waiting, self.streams, self.notices = socket, 0, {}, {}, []
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        async for frame in self.socket:
            if isinstance(frame, bytes):
                kind, stream = struct.unpack(">BI", frame[:5])
                await self.stream(stream).put((kind, frame[5:]))
                continue
            message = json.loads(frame)
            if "method" in message:
                self.notices.append(message)
            else:
                self.waiting.pop(message["id"]).set_result(message)

    def stream(self, number):
        return self.streams.setdefault(number, asyncio.Queue())

    async def raw(self, method, params):
        self.last_id += 1
        answer = self.waiting[self.last_id] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}))
        return await asyncio.wait_for(answer, 20)

    async def call(self, method, **params):
        answer = await self.raw(method, params)
        if "error" in answer:
            raise RuntimeError(json.dumps(answer["error"]))
        return answer["result"]

    async def error(self, method, **params):
        return (await self.raw(method, params))["error"]

    async def download(self, number):
        content = b""
        while True:
            kind, payload = await asyncio.wait_for(self.stream(number).get(), 20)
            if kind == 2:
                return content
            if kind == 3:
                raise RuntimeError(payload.decode())
            content += payload
            credit = {"stream": number, "bytes": len(payload)}
            await self.socket.send(json.dumps({"jsonrpc": "2.0", "method": "$/credit", "params": credit}))

    async def upload(self, number, content):
        """Within the first credit, 262,144 bytes."""
        for start in range(0, len(content), 65536):
            await self.socket.send(struct.pack(">BI", 1, number) + content[start:start + 65536])
        await self.socket.send(struct.pack(">BI", 2, number))


async def visit(client, user, password):
    opened = await client.call("session.open", server="dovecot", user=user, auth={"password": password})
    session = {"session": opened["session"]}
    folders = await client.call("mailbox.list", **session, counts=True)
    page = await client.call("message.list", **session, mailbox="INBOX", limit=2)
    rest = await client.call("message.list", **session, mailbox="INBOX", cursor=page["nextCursor"])
    newest = page["messages"][0]["uid"]
    inbox = {**session, "mailbox": "INBOX", "uidValidity": page["uidValidity"]}
    got = (await client.call("message.get", **inbox, uids=[newest]))["messages"][0]
    found = await client.call("message.search", **session, mailboxes=["INBOX"], filter={"subject": "Number 2"})
    flagged = await client.call("message.flag", **inbox, uids=[newest], action="add", flags=["\\Seen"])
    attachment = next(one for one in got["attachments"])
    inline = await client.call("message.part", **inbox, uid=newest, part=attachment["part"], transfer="inline")
    source = await client.call("message.source", **inbox, uid=newest, transfer="stream")
    downloaded = await client.download(source["stream"])
    message = b"Subject: Uploaded\r\n\r\n" + b"line\r\n" * 30000
    uploading = asyncio.ensure_future(
        client.call("message.append", **session, mailbox="INBOX", stream=1, size=len(message)))
    await asyncio.sleep(0)
    await client.upload(1, message)
    appended = await uploading
    stale = await client.error("message.get", **{**inbox, "uidValidity": page["uidValidity"] + 1}, uids=[newest])
    wrong = await client.error("message.list", **session, mailbox="INBOX", limit=0)
    nothing = await client.error("message.fetch", **session)
    closed = await client.call("session.close", **session)
    ended = await client.error("session.info", **session)
    return {
        "hello": client.notices[0]["method"],
        "inboxCount": next(one["counts"]["messages"] for one in folders["mailboxes"] if one["name"] == "INBOX"),
        "subjects": [one["envelope"]["subject"] for one in page["messages"] + rest["messages"]],
        "text": got["textBody"][0]["content"].strip(),
        "attachment": attachment["fileName"],
        "found": [one["uid"] for one in found["messages"]],
        "flags": flagged["messages"][0]["flags"],
        "inline": base64.b64decode(inline["data"]).decode(),
        "source": [source["size"], len(downloaded)],
        "appended": appended["uid"],
        "errors": [one["data"]["kind"] for one in (stale, wrong, nothing, ended)],
        "codes": [one["code"] for one in (stale, wrong, nothing, ended)],
        "field": wrong["data"]["field"],
        "closed": closed["closed"],
    }


async def main():
    headers = {"Authorization": "Bearer " + os.environ["TOKEN"]}
    async with websockets.connect(
            os.environ["URL"], subprotocols=["imap-broker.v1"], extra_headers=headers) as socket:
        print(json.dumps(await visit(Client(socket), os.environ["MAIL_USER"], os.environ["MAIL_PASSWORD"])))


asyncio.run(main())

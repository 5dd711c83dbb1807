#!/usr/bin/env python3
"""A helpdesk: each mail in a folder becomes a ticket, a JSON file, as soon as it arrives.

Usage: helpdesk.py TICKETS

TICKETS is the folder for the files. The environment has IMAP_BROKER_URL and IMAP_BROKER_TOKEN, and the account: IMAP_SERVER, IMAP_USER,
IMAP_PASSWORD. A mail that has become a ticket gets the keyword $Ticket, so that nothing is lost or done twice when this
program, the broker or the mail server is restarted.
"""
import json
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "clients/python"))
import imap_broker  # noqa: E402

FOLDER = os.environ.get("HELPDESK_FOLDER", "INBOX")
KEYWORD = "$Ticket"
RENEW_SECONDS = 3600  # Tokens live longer than that; a watch may live for weeks.


class Helpdesk:
    def __init__(self, broker, tickets):
        self.broker, self.tickets = broker, tickets
        self.token, self.renewed = "", 0.0
        self.mail = broker.with_session(lambda: self.token)

    def run(self):
        """Logs in and works until the session ends, which may be in a week."""
        account = {"server": os.environ.get("IMAP_SERVER", "demo"), "user": os.environ["IMAP_USER"]}
        opened = self.broker.call("session.open", **account, auth={"password": os.environ["IMAP_PASSWORD"]})
        self.token, self.renewed = opened["session"], time.monotonic()
        # The first event asks for a look at the whole folder: mail may have come while this program did not run.
        for event in self.mail.watch(mailboxes=[FOLDER], fields=[], idle_ms=60_000):
            if event is not None and event["type"] in ("resync", "new", "reset"):
                self.look()
            if time.monotonic() - self.renewed > RENEW_SECONDS:
                self.token, self.renewed = self.mail.call("session.renew")["session"], time.monotonic()

    def look(self):
        """Makes a ticket of each mail that has none, the oldest first."""
        page = self.mail.call("message.list", mailbox=FOLDER, filter={"notKeyword": KEYWORD}, fields=[], limit=10_000)
        for row in reversed(page["messages"]):
            self.take({"mailbox": FOLDER, "uidValidity": page["uidValidity"], "uids": [row["uid"]]})

    def take(self, which):
        messages = self.mail.call("message.get", **which, only="text")["messages"]
        if not messages:
            return  # It was deleted meanwhile.
        [message] = messages
        envelope, number = message["envelope"], f"{which['uidValidity']}-{message['uid']}"
        ticket = {
            "ticket": number,
            "received": message["internalDate"],
            "from": [one["address"] for one in envelope["from"]],
            "subject": envelope["subject"] or "(no subject)",
            "text": "\n".join(part["content"] or "" for part in message["textBody"]),
            "attachments": [one["fileName"] or one["part"] for one in message["attachments"]],
        }
        # First the file, whole or not at all, then the keyword: a crash between the two makes the same file again.
        unfinished = self.tickets / f".{number}.json"
        unfinished.write_text(json.dumps(ticket, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        unfinished.rename(self.tickets / f"{number}.json")
        self.mail.call("message.flag", **which, action="add", flags=[KEYWORD])
        print(f"Ticket {number}: {ticket['subject']}", flush=True)


def main():
    if len(sys.argv) != 2 or not os.environ.get("IMAP_USER"):
        sys.exit(__doc__)
    tickets = pathlib.Path(sys.argv[1])
    tickets.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with imap_broker.Client() as broker:
        while True:
            try:
                Helpdesk(broker, tickets).run()
            except imap_broker.BrokerError as error:
                if error.kind in ("IMAP_AUTH_FAILED", "UNAUTHENTICATED", "INVALID_PARAMS", "FORBIDDEN", "SERVER_NOT_ALLOWED"):
                    sys.exit(f"{error.kind}: {error}")
                print(f"{error.kind}: {error} Trying again.", file=sys.stderr, flush=True)
                time.sleep(max(1, (error.retry_after_ms or 0) / 1000))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass

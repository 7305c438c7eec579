#!/usr/bin/python3
"""Python's websockets as a client of the gateway: tests/e2e/websocket_peer.py PROGRAM

A session of 50 turns over one connection, with an upstream that refuses and cuts on the way; pings and pongs; fragmented and
large messages; closing by either side. Exit code 77, a skip, where the module is missing (Debian: python3-websockets).
"""
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

try:
    import websockets
except ImportError:
    print("no module websockets here (on Debian: apt install python3-websockets)")
    sys.exit(77)

asked = []


class Upstream(BaseHTTPRequestHandler):
    """Answers each request with its number; every fifth is refused, every seventh cut in the middle."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked.append(body)
        number = len(asked)
        if number % 5 == 0:
            refusal = json.dumps({"error": {"message": "Overloaded", "type": "service_unavailable_error"}}).encode()
            self.send_response(503)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(refusal)))
            self.end_headers()
            self.wfile.write(refusal)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in self.events(body, number):
            if number % 7 == 0 and event["type"] == "response.completed":
                break
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        self.close_connection = True

    @staticmethod
    def events(body, number):
        response = {"id": f"resp_{number}", "object": "response", "created_at": 1, "status": "in_progress",
                    "model": body["model"], "output": []}
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "It is full.", "annotations": []}]}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        events = [
            {"type": "response.created", "response": response},
            {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress", "content": []}},
            {"type": "response.content_part.added", **place, "part": {"type": "output_text", "text": "", "annotations": []}},
            *[{"type": "response.output_text.delta", **place, "delta": word} for word in ("It ", "is ", "full.")],
            {"type": "response.output_text.done", **place, "text": "It is full."},
            {"type": "response.content_part.done", **place, "part": item["content"][0]},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {**response, "status": "completed", "output": [item], "usage": {
                "input_tokens": 5, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 3,
                "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 8}}},
        ]
        for sequence, event in enumerate(events):
            event["sequence_number"] = sequence
        return events


async def ask(socket, **request):
    await socket.send(json.dumps({"type": "response.create", "model": "m", "store": False, **request}))
    events = []
    while not events or events[-1]["type"] not in ("response.completed", "response.failed", "error"):
        events.append(json.loads(await socket.recv()))
    return events


def said(events):
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


async def session_of_50_turns(url):
    async with websockets.connect(url) as socket:
        previous = None
        for turn in range(50):
            request = {"input": [{"type": "message", "role": "user", "content": f"Question {turn}"}]}
            if previous:
                request["previous_response_id"] = previous
            events = await ask(socket, **request)
            assert events[-1]["type"] == "response.completed", events[-1]
            assert said(events) == "It is full.", said(events)
            numbers = [event["sequence_number"] for event in events]
            assert numbers == sorted(set(numbers)), numbers
            assert events[-1]["response"].get("previous_response_id") == previous, events[-1]
            previous = events[-1]["response"]["id"]
        last = json.dumps(asked[-1])
        assert all(f"Question {turn}" in last for turn in range(50))


async def pings_and_fragments(url):
    async with websockets.connect(url, ping_interval=0.05, ping_timeout=5) as socket:
        await (await socket.ping(b"there?"))
        message = json.dumps({"type": "response.create", "model": "m", "input": "a" * 3_000_000})
        await socket.send(message[i:i + 65536] for i in range(0, len(message), 65536))  # in fragments
        events = []
        while not events or events[-1]["type"] != "response.completed":
            events.append(json.loads(await socket.recv()))
        assert said(events) == "It is full."
        await asyncio.sleep(0.3)  # a few pings more
        await socket.close(1000, "done")
        assert socket.close_code == 1000


async def what_cannot_be_answered(url):
    async with websockets.connect(url) as socket:
        await socket.send("not JSON")
        error = json.loads(await socket.recv())
        assert (error["type"], error["status"]) == ("error", 400), error
        events = await ask(socket, input="Is it full?")
        assert said(events) == "It is full."
        await socket.send(b"\x00\x01")
        try:
            await socket.recv()
            raise AssertionError("a binary message was accepted")
        except websockets.ConnectionClosed as closed:
            assert closed.code == 1003, closed


def main():
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "understudy.toml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"""
[model]
provider = "one"
default = "m"
[[fallback_providers]]
provider = "two"
model = "m"
[retry]
backoff_base = "10ms"
backoff_cap = "20ms"
budget_floor = 1000
[server]
listen = "127.0.0.1:0"
""")
            for name in ("one", "two"):
                out.write(f"""
[providers.{name}]
protocol = "openai_responses"
base_url = "http://127.0.0.1:{upstream.server_address[1]}/{name}/v1"
credentials = [{{value = "key-of-{name}"}}]
""")
        with subprocess.Popen([sys.argv[1], "serve", "--config", config], stderr=subprocess.PIPE, text=True) as gateway:
            address = None
            while not address:
                address = re.search(r"understudy serve: http(:\S+),", gateway.stderr.readline())
            threading.Thread(target=gateway.stderr.read, daemon=True).start()
            url = f"ws{address[1]}/v1/responses"
            cases = (session_of_50_turns, pings_and_fragments, what_cannot_be_answered)
            failed = 0
            for case in cases:
                try:
                    asyncio.run(asyncio.wait_for(case(url), 60))
                    print(f"{case.__name__}: passed")
                except Exception as error:  # each case is reported
                    failed += 1
                    print(f"{case.__name__}: failed: {error!r}")
            gateway.send_signal(signal.SIGTERM)
            code = gateway.wait(60)
        print(f"{len(cases) - failed} passed, {failed} failed")
        return 1 if failed or code else 0


if __name__ == "__main__":
    sys.exit(main())

"""CloudWatch's newer protocol in front of moto, which knows the older one only.

AWS's SDK for Go speaks RPC v2 CBOR to CloudWatch and nothing else; moto routes
JSON and the query protocol. This translates request and answer, and leaves out
of a request the percentiles, for moto has none and fails over them.
"""

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cbor2


def plain(value):
    """CBOR's times as JSON has them: seconds."""
    if isinstance(value, cbor2.CBORTag):
        return value.value
    if hasattr(value, "timestamp"):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def tagged(value, key=""):
    """JSON's seconds as CBOR has times, told by their names."""
    if isinstance(value, dict):
        return {name: tagged(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [tagged(inner, key) for inner in value]
    if key.endswith(("Timestamp", "Timestamps")) and isinstance(value, (int, float)):
        return cbor2.CBORTag(1, value)
    return value


def without_percentiles(request):
    queries = request.get("MetricDataQueries", [])
    request["MetricDataQueries"] = [q for q in queries if not q["MetricStat"]["Stat"].startswith("p")]
    return request if queries else {k: v for k, v in request.items() if k != "MetricDataQueries"}


def serve(moto):
    """Starts the translator and gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            service, operation = self.path.split("/")[2], self.path.split("/")[4]
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = urllib.request.Request(
                moto,
                data=json.dumps(without_percentiles(plain(cbor2.loads(body)))).encode(),
                headers={
                    "Authorization": self.headers["Authorization"],
                    "Content-Type": "application/x-amz-json-1.0",
                    "X-Amz-Target": service + "." + operation,
                },
            )
            try:
                with urllib.request.urlopen(request) as answer:
                    status, text = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, text = error.code, error.read()
            data = cbor2.dumps(tagged(json.loads(text or b"{}")))
            self.send_response(status)
            self.send_header("Content-Type", "application/cbor")
            self.send_header("Smithy-Protocol", "rpc-v2-cbor")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"

"""A web server on this machine that stands in for the Hugging Face Hub where a Space is made and files are uploaded."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LARGE = 10 * 1024 * 1024  # bytes, above which the Hub takes no file into git


@dataclass
class Hub:
    """What the Hub has: one account, and its Spaces' files by name."""

    address: str
    token: str
    owner: str
    spaces: dict[str, dict[str, bytes]] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)  # by sha256
    made: list[dict] = field(default_factory=list)  # what was asked for each new Space
    commits: list[str] = field(default_factory=list)  # the summary of each
    outside_git: set[str] = field(default_factory=set)  # names of the files that were uploaded on their own


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_arguments) -> None:
        pass

    def do_GET(self) -> None:
        self._body()
        if found := re.fullmatch(r"/api/spaces/([^/]+/[^/]+)/tree/main", self._path()):
            files = self.hub.spaces[found[1]]
            self._answer([_described(name, data) for name, data in files.items()])
        else:
            self._answer({"error": f"Not found: {self.path}"}, 404)

    def do_PUT(self) -> None:
        data = self._body()
        sha = self._path().rpartition("/")[2]
        if hashlib.sha256(data).hexdigest() != sha:
            return self._answer({"error": "damaged on the way"}, 400)
        self.hub.large[sha] = data
        self._answer({})

    def do_POST(self) -> None:
        data, path = self._body(), self._path()
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self._answer({"error": "Invalid username or password."}, 401)
        if path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif path == "/api/repos/create":
            self._create(json.loads(data))
        elif re.fullmatch(r"/api/spaces/[^/]+/[^/]+/preupload/main", path):
            self._answer({"files": [self._mode(file) for file in json.loads(data)["files"]]})
        elif re.fullmatch(r"/spaces/[^/]+/[^/]+\.git/info/lfs/objects/batch", path):
            self._answer({"transfer": "basic", "objects": [self._large(file) for file in json.loads(data)["objects"]]})
        elif found := re.fullmatch(r"/api/spaces/([^/]+/[^/]+)/commit/main", path):
            self._commit(found[1], [json.loads(line) for line in data.splitlines()])
        else:
            self._answer({"error": f"Not found: {path}"}, 404)

    def _create(self, asked: dict) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        url = f"{self.hub.address}/spaces/{name}"
        if asked["organization"] != self.hub.owner:
            self._answer({"error": f"You may not make a Space of {asked['organization']}."}, 403)
        elif name in self.hub.spaces:
            self._answer({"error": "You already made this Space.", "url": url}, 409)
        else:
            self.hub.made.append(asked)
            self.hub.spaces[name] = {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}
            self._answer({"url": url})

    def _mode(self, file: dict) -> dict:
        large = file["size"] > LARGE or file["path"].endswith(".safetensors")
        return {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}

    def _large(self, file: dict) -> dict:
        return {**file, "actions": {"upload": {"href": f"{self.hub.address}/large/{file['oid']}"}}}

    def _commit(self, space: str, lines: list[dict]) -> None:
        files = self.hub.spaces[space]
        for line in lines:
            key, value = line["key"], line["value"]
            if key == "header":
                self.hub.commits.append(value["summary"])
            elif key == "deletedFile":
                del files[value["path"]]
            elif key == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
                self.hub.outside_git.add(value["path"])
            elif key == "file":
                data = base64.b64decode(value["content"])
                if len(data) > LARGE:  # as the Hub's own hook says it to a push
                    return self._answer({"error": f"{value['path']} is larger than 10 MiB."}, 400)
                files[value["path"]] = data
        commit = hashlib.sha1(str(len(self.hub.commits)).encode()).hexdigest()
        self._answer({"commitUrl": f"{self.hub.address}/spaces/{space}/commit/{commit}", "commitOid": commit})

    def _path(self) -> str:
        return urlsplit(self.path).path

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, document: object, status: int = 200) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _described(name: str, data: bytes) -> dict:
    return {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}


@contextmanager
def hub(owner: str, token: str) -> Iterator[Hub]:
    """Run the stand-in, with one account."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    _Handler.hub = Hub(f"http://127.0.0.1:{server.server_port}", token, owner)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield _Handler.hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""nginx before replicas of the page, as `deploy/` sets it up, for tests."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from serving import ROOT, answers, free_port

NEEDED = "STYLEMASK_TESTS_NEED_NGINX"  # environment: when set, a missing nginx is a failure
NONE = "No nginx is here: apt-get install nginx-light"
DEPLOY = ROOT / "deploy"


@contextmanager
def front(folder: Path, replicas: Sequence[str]) -> Iterator[str]:
    """Start nginx before replicas at such addresses, HOST:PORT; give its own, and stop it at the end.

    Without nginx the test is skipped, or fails where it is demanded.
    """
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        (pytest.fail if os.environ.get(NEEDED) else pytest.skip)(NONE)
    port = free_port()
    shutil.copyfile(DEPLOY / "nginx.conf", folder / "nginx.conf")
    (folder / "listen.conf").write_text(f"listen 127.0.0.1:{port};\n")
    servers = "".join(f"server {replica} max_fails=1 fail_timeout=10s;\n" for replica in replicas)
    (folder / "replicas.conf").write_text(servers)
    command = [nginx, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        while not answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "nginx.log").read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)

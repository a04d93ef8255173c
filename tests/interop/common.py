"""What the interoperability tests share.

Where things are kept, how they are installed, what a check that fails says.
"""

import contextlib
import filecmp
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "target" / "interop"
CERTIFICATES = WORK / "certificates"
NODE = WORK / "node"
PYTHON = WORK / "venv" / "bin" / "python"
WSCOPE = os.environ.get("WSCOPE") or str(ROOT / "target" / "release" / "wscope")

# Nothing here takes a second; a machine may be busy.
TIMEOUT = 20


def run_checks(checks):
    """Runs pairs of a title and a function, says how each went, and gives the exit status."""
    passed = failed = 0
    for title, check in checks:
        try:
            check()
        except Exception as error:  # one check's failure is no other's
            failed += 1
            print(f"FAIL {title}\n     {str(error).strip()[:2000]}", flush=True)
        else:
            passed += 1
            print(f"ok   {title}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def need_wscope():
    if not os.path.isfile(WSCOPE):
        sys.exit(f"interop: no binary {WSCOPE}: run `cargo build --release`, or set WSCOPE")


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"expected {wanted!r}, not {found!r}")


def expect_in(text, *wanted):
    missing = [part for part in wanted if part not in text]
    if missing:
        raise AssertionError(f"{missing} not in {text!r}")


def end(process):
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def install(*tools):
    """Puts what package.json and requirements.txt name under target/interop, unless these very
    versions are there. `tools` are programs that must be there already."""
    missing = [tool for tool in ("node", "npm", *tools) if not find(tool)]
    if missing:
        sys.exit(f"interop: not installed: {', '.join(missing)}")
    NODE.mkdir(parents=True, exist_ok=True)
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, NODE)
    if not (same("package.json", NODE) and (NODE / "node_modules" / "ws").is_dir()):
        shutil.copy(HERE / "package.json", NODE)
        # Without the scripts of packages nothing is built, or fetched from elsewhere.
        quietly("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", cwd=NODE)
    if not (same("requirements.txt", WORK) and PYTHON.exists()):
        quietly(sys.executable, "-m", "venv", WORK / "venv")
        requirements = ["-r", HERE / "requirements.txt"]
        quietly(PYTHON, "-m", "pip", "install", "--quiet", *requirements)
        shutil.copy(HERE / "requirements.txt", WORK)


def find(tool):
    # Debian keeps servers where only root looks.
    os.environ["PATH"] += "" if "/usr/sbin" in os.environ["PATH"].split(":") else ":/usr/sbin"
    return shutil.which(tool)


def same(name, folder):
    """Whether `folder` has the same file: it is copied there after an installation."""
    return (folder / name).exists() and filecmp.cmp(HERE / name, folder / name, shallow=False)


def quietly(*command, cwd=None):
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    if done.returncode != 0:
        output = done.stdout.decode(errors="replace")
        sys.exit(f"interop: {command[0]} failed\n{output}")


@contextlib.contextmanager
def serving(command, folder):
    """Runs a server that prints its port, or ports, as JSON, and ends with its stdin; gives them."""
    server = subprocess.Popen(
        list(map(str, command)), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        line = server.stdout.readline()
        if not line.strip():
            raise RuntimeError(f"{command} does not start")
        yield json.loads(line)
    finally:
        server.stdin.close()
        end(server)


@contextlib.contextmanager
def nginx(upstream):
    """Runs nginx with TLS, by the certificates of make_certificates, in front of the port `upstream`;
    gives its own port."""
    port = free_port()
    folder = WORK / f"nginx-{upstream}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "temp").mkdir(parents=True)
    config = (HERE / "nginx.conf").read_text()
    config = config.replace("{port}", str(port)).replace("{upstream}", str(upstream))
    (folder / "nginx.conf").write_text(config)
    # -e: before it has read the configuration it would write to a log of the system.
    command = ["nginx", "-p", f"{folder}/", "-c", "nginx.conf", "-e", "error.log"]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        wait_until_listening(server, port)
        yield port
    finally:
        server.terminate()
        end(server)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_listening(server, port):
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("nginx does not listen")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificates():
    """An authority, a server's certificate for localhost, and an authority of nobody."""
    shutil.rmtree(CERTIFICATES, ignore_errors=True)
    CERTIFICATES.mkdir(parents=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in "ca", "other":
        subject = ["-subj", f"/CN=wscope interop {name}", "-days", "2"]
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        quietly("openssl", "req", "-x509", *key, *subject, *files, cwd=CERTIFICATES)
    files = ["-keyout", "server.key", "-out", "server.csr"]
    quietly("openssl", "req", *key, "-subj", "/CN=localhost", *files, cwd=CERTIFICATES)
    names = CERTIFICATES / "names"
    names.write_text("subjectAltName = DNS:localhost, IP:127.0.0.1\n")
    issuer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
    files = ["-in", "server.csr", "-out", "server.pem", "-extfile", "names"]
    quietly("openssl", "x509", "-req", *issuer, *files, cwd=CERTIFICATES)

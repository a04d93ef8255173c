"""What the interoperability tests of the client (run) and of the server (listen) share.

Where things are kept, how they are installed, what a check that fails says.
"""

import filecmp
import os
import pathlib
import shutil
import subprocess
import sys

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

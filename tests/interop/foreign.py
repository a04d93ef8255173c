"""Servers that are programs of their own, for `lenses`: RabbitMQ, Action Cable in puma, Chromium.

Each is started on the loopback with a folder of its own, and ended at the end. Where the program is
missing, its name is in `missing`.
"""

import contextlib
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from common import HERE, TIMEOUT, WORK, end, find

CHROMIUM = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
# An Erlang machine takes longer to start than a check may take.
START = 90


@contextlib.contextmanager
def running():
    """Starts what there is; gives the ports by name, and the names of what is missing."""
    ports, missing = {}, []
    with contextlib.ExitStack() as stack:
        starters = {"rabbitmq-server": rabbitmq, "puma": puma, "chromium": chromium}
        # All are started before one is waited for.
        waits = {name: start(stack) for name, start in starters.items()}
        for name, wait in waits.items():
            if wait is None:
                missing.append(name)
            else:
                ports.update(wait())
        yield ports, missing


def rabbitmq(stack):
    scripts = glob.glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server")
    if not scripts:
        return None
    folder = fresh("rabbitmq")
    stomp, mqtt, names, nodes = free_ports(4)
    (folder / "rabbitmq.conf").write_text(f"""
listeners.tcp = none
stomp.listeners.tcp = none
mqtt.listeners.tcp = none
web_stomp.tcp.ip = 127.0.0.1
web_stomp.tcp.port = {stomp}
web_mqtt.tcp.ip = 127.0.0.1
web_mqtt.tcp.port = {mqtt}
""")
    (folder / "enabled_plugins").write_text("[rabbitmq_web_stomp,rabbitmq_web_mqtt].")
    settings = {
        "CONFIG_FILE": "rabbitmq.conf", "ENABLED_PLUGINS_FILE": "enabled_plugins",
        "MNESIA_BASE": "data", "LOG_BASE": "log", "GENERATED_CONFIG_DIR": "generated", "PID_FILE": "pid",
    }
    environment = {f"RABBITMQ_{name}": str(folder / path) for name, path in settings.items()}
    environment |= {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"wscope-{stomp}@localhost",
        "RABBITMQ_DIST_PORT": str(nodes),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
    }
    # The name server of Erlang outlives the node that starts it. What is noted first is done last.
    stop = {**os.environ, **environment}
    stack.callback(subprocess.run, ["epmd", "-kill"], env=stop, capture_output=True, check=False)
    start(stack, folder, scripts[0], environment=environment)
    ports = {"RabbitMQ's web-stomp": stomp, "RabbitMQ's web-mqtt": mqtt}

    def wait():
        for port in ports.values():
            until(lambda: answers(port), f"RabbitMQ on port {port}", folder)
        return ports

    return wait


def puma(stack):
    if not find("puma"):
        return None
    folder = fresh("puma")
    shutil.copy(HERE / "cable.ru", folder)
    start(stack, folder, "puma", "-b", "tcp://127.0.0.1:0", "cable.ru")
    return lambda: {"Action Cable in puma": said(folder, r"Listening on http://127\.0\.0\.1:(\d+)")}


def chromium(stack):
    if not os.path.exists(CHROMIUM):
        return None
    folder = fresh("chromium")
    start(stack, folder, CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
          "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={folder}/profile",
          "about:blank", environment={"HOME": str(folder)})
    return lambda: {"Chromium's DevTools": said(folder, r"DevTools listening on ws://127\.0\.0\.1:(\S+)")}


def fresh(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def start(stack, folder, *command, environment=None):
    """In a process group of its own, with what it says in a file: a pipe would fill."""
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )

    def leave():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        end(process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    stack.callback(leave)


def said(folder, pattern):
    """What a program says about itself, once it has said it."""
    found = lambda: re.search(pattern, (folder / "output").read_text(errors="replace"))
    until(found, pattern, folder)
    return found().group(1)


def until(condition, what, folder):
    deadline = time.monotonic() + START
    while not condition():
        if time.monotonic() > deadline:
            output = (folder / "output").read_text(errors="replace")
            raise SystemExit(f"interop: {what}: nothing within {START} s\n{output[-2000:]}")
        time.sleep(0.1)


def answers(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), TIMEOUT).close()
        return True
    return False


def free_ports(number):
    """Ports that nobody has; for programs that can't be given the port 0."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports

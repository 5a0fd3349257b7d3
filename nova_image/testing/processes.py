# SPDX-License-Identifier: Apache-2.0
"""Start, await and stop one gunicorn that serves a WSGI application on loopback.

The socket is bound here and handed over, so no other process can take the port in between. The
server ends itself when its starter is gone.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

#: Seconds a server may take until it answers.
START_TIMEOUT = 60.0
#: Seconds a server may take to end before it is killed.
STOP_TIMEOUT = 5.0

INSTALL_HINT = 'pip install nova-image[glance]'

# Runs in the gunicorn master. A watcher of the parent is needed because a killed test run cannot stop us.
_GUNICORN_CONFIG = """
import os, shutil, signal, threading, time

wsgi_app = {app!r}
bind = 'fd://{fd}'
worker_class = 'gthread'
workers = 1
threads = {threads}
graceful_timeout = 1
timeout = 600
keepalive = 30
worker_tmp_dir = {root!r}
control_socket_disable = True
_starter = {starter}

def when_ready(server):
    master = os.getpid()
    def watch():
        while os.getppid() == _starter:
            time.sleep(1)
        os.kill(master, signal.SIGTERM)
    threading.Thread(target=watch, daemon=True).start()

def on_exit(server):
    if os.getppid() != _starter:
        shutil.rmtree({root!r}, ignore_errors=True)
"""


class ServerError(Exception):
    """A test server could not be installed, started or used."""


def require(*modules: str) -> None:
    """Check that the modules of the ``glance`` extra can be imported, without importing them.

    :raises ServerError: naming the missing ones and the command that installs them
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise ServerError(
            f'A real Glance needs the Python packages {", ".join(missing)}, which are not installed '
            f'in {sys.prefix}. Install them with: {INSTALL_HINT}'
        )


def run_tool(statement: str, *args: str, env: dict[str, str] | None = None) -> None:
    """Run ``statement`` (Python) with command line ``args``; its output is shown only if it fails."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', statement, *args],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
        timeout=180,
        check=False,
    )
    if done.returncode:
        raise ServerError(
            f'{statement!r} {" ".join(args)} ended with exit code {done.returncode}:\n'
            + '\n'.join(done.stdout.splitlines()[-20:])
        )


def _import_path() -> list[str]:
    """Let the server import this very package, also from a checkout that is not installed."""
    ours = str(Path(__file__).absolute().parents[2])
    return [ours, *filter(None, os.environ.get('PYTHONPATH', '').split(os.pathsep))]


class WebProcess:
    """One server process below ``root``, where its log and its configuration stand."""

    def __init__(self, name: str, app: str, root: Path, *, threads: int = 4) -> None:
        self.name = name
        self.root = root
        self.log_path = root / f'{name}-gunicorn.log'
        self._app = app
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        # Listening before the process runs: its port is known, and clients that come early wait.
        self._socket: socket.socket | None = socket.create_server(('127.0.0.1', 0), backlog=128)
        self.port: int = self._socket.getsockname()[1]

    @property
    def pid(self) -> int | None:
        """The process id of the gunicorn master, if it was started."""
        return None if self._process is None else self._process.pid

    def start(self, env: dict[str, str], *, ready_path: str = '/') -> None:
        """Start the process and wait until it answers ``GET ready_path``.

        :raises ServerError: it ended, or did not answer within START_TIMEOUT; with the end of its log
        """
        assert self._socket is not None, 'a WebProcess starts once'
        config = self.root / f'{self.name}-gunicorn.py'
        fd = self._socket.fileno()
        config.write_text(
            _GUNICORN_CONFIG.format(
                app=self._app,
                fd=fd,
                threads=self._threads,
                root=str(self.root),
                starter=os.getpid(),
            ),
            encoding='utf-8',
        )
        with self.log_path.open('ab') as log:
            self._process = subprocess.Popen(
                [sys.executable, '-W', 'ignore', '-m', 'gunicorn'],
                # Keystone reads the command line itself, so gunicorn's options go round it.
                env={
                    **os.environ,
                    **env,
                    'GUNICORN_CMD_ARGS': f'-c {shlex.quote(str(config))}',
                    # Loopback is never behind a proxy.
                    'no_proxy': '127.0.0.1',
                    'NO_PROXY': '127.0.0.1',
                    'PYTHONPATH': os.pathsep.join(_import_path()),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(fd,),
                cwd=self.root,
                start_new_session=True,
            )
        # Only the server may hold the socket: when it dies, connections are refused at once.
        self._socket.close()
        self._socket = None
        try:
            self._await(ready_path)
        except BaseException:
            self.stop()
            raise

    def _await(self, ready_path: str) -> None:
        import http.client

        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerError(
                    f'{self.name} ended with exit code {self._process.returncode} before it '
                    f'answered. The end of its log:\n{self.log_tail()}'
                )
            connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=1)
            try:
                connection.request('GET', ready_path)
                connection.getresponse().read()
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            finally:
                connection.close()
        raise ServerError(
            f'{self.name} did not answer on port {self.port} within {START_TIMEOUT:.0f} s. '
            f'The end of its log:\n{self.log_tail()}'
        )

    def log_tail(self, lines: int = 40) -> str:
        """Give the last lines of every log below the root."""
        tails = []
        for path in sorted(self.root.glob('*.log')):
            last = path.read_text(encoding='utf-8', errors='replace').splitlines()[-lines:]
            tails.append(f'--- {path.name}\n' + '\n'.join(last))
        return '\n'.join(tails)

    def stop(self) -> None:
        """End the process: ask, then kill."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            # The master leads a session of its own, so its worker goes with it.
            os.killpg(process.pid, 9)
            process.wait()


def prepared(name: str, build: Callable[[Path], None]) -> Path:
    """Give the directory ``name`` of this user's cache; ``build`` fills it the first time.

    Without a cache directory that is ours alone, it is built for this process only.
    """
    import atexit
    import tempfile

    cache = _cache_directory()
    if cache is not None and (cache / name).is_dir():
        return cache / name
    built = Path(tempfile.mkdtemp(prefix='building-', dir=cache))
    try:
        build(built)
    except BaseException:
        shutil.rmtree(built, ignore_errors=True)
        raise
    if cache is None:
        atexit.register(shutil.rmtree, built, ignore_errors=True)
        return built
    try:
        built.rename(cache / name)
    except OSError:
        # Somebody else was first, which is as good.
        shutil.rmtree(built, ignore_errors=True)
        if not (cache / name).is_dir():
            raise
    return cache / name


def _cache_directory() -> Path | None:
    import tempfile

    path = Path(tempfile.gettempdir()) / f'nova-image-testing-{os.getuid()}'
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        info = path.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid()
    return path if ours and not info.st_mode & 0o077 else None

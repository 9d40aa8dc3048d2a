"""PostgreSQL on a host of its own."""

import contextlib
import pathlib
import subprocess
import time

import psycopg

from network import call, until

PROGRAMS = pathlib.Path(call("pg_config", "--bindir").strip())


class Postgres:
    """One server: made, started, stopped and lost as a test wants it."""

    def __init__(self, host, directory, port=5432, connections=60):
        self.host, self.port, self.directory = host, port, pathlib.Path(directory)
        self.data = self.directory / "data"
        self.connections = connections
        # The command line: it must not be read by a standby as what its primary had.
        self.settings = {
            "port": port,
            "listen_addresses": "*",
            "unix_socket_directories": self.directory,
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": connections,
        }

    def prepare(self):
        self.directory.mkdir(mode=0o755)
        call("chown", "postgres", self.directory)

    def run(self, program, *arguments):
        """One of PostgreSQL's programs, as the account that owns the data, on the server's host."""
        # From a directory that this account may enter; else the programs print warnings.
        words = ["runuser", "-u", "postgres", "--", PROGRAMS / program, *arguments]
        with open(self.directory / "programs.log", "ab") as log:
            command = self.host.command(*words)
            return subprocess.run(command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode

    def create(self):
        self.prepare()
        options = "--username postgres --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync".split()
        assert self.run("initdb", "--pgdata", self.data, *options) == 0, self.words()
        with open(self.data / "pg_hba.conf", "a") as rules:
            rules.write("host coldroll coldroll 10.77.0.0/24 scram-sha-256\n")
            rules.write("host all all 10.77.0.0/24 trust\nhost replication all 10.77.0.0/24 trust\n")

    def copy_of(self, primary):
        """Makes this server a standby of another that streams what was committed, some time after the commit."""
        self.prepare()
        options = ["--write-recovery-conf", "--wal-method", "stream", "--checkpoint", "fast", "--no-sync"]
        source = f"host={primary.host.address} port={primary.port} user=postgres"
        assert self.run("pg_basebackup", "--pgdata", self.data, "--dbname", source, *options) == 0, self.words()

    def start(self):
        settings = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        arguments = ["start", "--pgdata", self.data, "--wait", "--log", self.directory / "log", "--options", settings]
        # A backend that is busy may outlive a killed postmaster for a while.
        until("the start of PostgreSQL", lambda: self.run("pg_ctl", *arguments) == 0, 60)

    def stop(self, mode="immediate"):
        assert self.run("pg_ctl", "stop", "--pgdata", self.data, "--mode", mode, "--wait") == 0, self.words()

    @property
    def is_running(self):
        return self.run("pg_ctl", "status", "--pgdata", self.data) == 0

    def promote(self):
        assert self.run("pg_ctl", "promote", "--pgdata", self.data, "--wait") == 0, self.words()

    @contextlib.contextmanager
    def away(self):
        """Within the block nobody answers; its end is that of a server that lost its power."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def words(self):
        logs = [self.directory / "programs.log", self.directory / "log"]
        return "\n".join(log.read_text(errors="replace")[-3000:] for log in logs if log.exists())

    def url(self, database, user="postgres", **parameters):
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://{user}@{self.host.address}:{self.port}/{database}" + ("?" + query if query else "")

    def connect(self, database="postgres"):
        return psycopg.connect(self.url(database, application_name="test"), autocommit=True, connect_timeout=10)

    def rows(self, database, statement, *values):
        """Rows of one statement; a server that is busy with its start is asked again."""
        end = time.monotonic() + 60
        while True:
            try:
                with self.connect(database) as connection:
                    cursor = connection.execute(statement, values or None)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def value(self, database, statement, *values):
        return self.rows(database, statement, *values)[0][0]

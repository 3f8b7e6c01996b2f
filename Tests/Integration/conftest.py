"""Fixtures: processes and backends that end with the test that asked for them."""

import resource

import pytest

from backends import GRPCBackend, HTTPBackend
from millrace import Millrace, Pipeline

pytest_plugins = ["strictness"]


def pytest_sessionstart(session):
    # Inherited by every process that is started: the test of idle connections wants thousands of files.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture
def start(tmp_path):
    """`start(exporters={…}, processors={…})`: a running millrace with an OTLP receiver in front."""
    running = []

    def _start(exporters, processors=None, env=None, arguments=(), **settings) -> Millrace:
        pipeline = Pipeline(exporters, processors or {}, **settings)
        running.append(Millrace(pipeline, tmp_path / f"millrace-{len(running)}", env, arguments))
        return running[-1]

    yield _start
    for millrace in running:
        millrace.kill()


@pytest.fixture
def http_backend():
    with HTTPBackend() as backend:
        yield backend


@pytest.fixture
def grpc_backend():
    with GRPCBackend() as backend:
        yield backend

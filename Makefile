# Millrace: build, run, test. `make run` and `make test` work on a fresh Debian machine with a Swift toolchain.
.POSIX:
.DEFAULT_GOAL := help
.PHONY: help install run build test unit-test integration-test test-faults test-faults-short check format lint bench \
	fuzz fuzz-short test-asan test-tsan clean

SWIFT ?= swift
CONFIG ?= pipelines/quickstart.yaml
PYTEST_ARGS ?=
MILLRACE := .build/release/millrace
SWIFT_SOURCES := Sources Tests Package.swift

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

install:
	.ci/install build

run: install build ## Build and run pipelines/quickstart.yaml (another file: make run CONFIG=my.yaml).
	$(MILLRACE) run $(CONFIG)

# The Swift runtime is linked in: the binary then runs on machines without a toolchain, in less memory.
build: install ## Release build: .build/release/millrace.
	$(SWIFT) build -c release --product millrace --static-swift-stdlib

test: unit-test integration-test test-faults-short ## All tests: Swift Testing, then real peers and faults against the release binary.

# All at once, the tests with servers would wait longer for the processor than for each other.
unit-test: install
	$(SWIFT) build --build-tests
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=32 $(SWIFT) test --skip-build

integration-test: build
	.ci/install test
	.build/venv/bin/python -m pytest Tests/Integration $(PYTEST_ARGS)

test-faults: build ## kill -9, full disks, dead backends, 1,000 reloads: about ten minutes.
	.ci/install test
	FAULTS=full .build/venv/bin/python -m pytest Tests/Faults $(PYTEST_ARGS)

test-faults-short: build
	.ci/install test
	.build/venv/bin/python -m pytest Tests/Faults $(PYTEST_ARGS)

check: build ## `millrace check` of every file under pipelines/.
	@for file in pipelines/*.yaml; do echo "millrace check $$file"; $(MILLRACE) check "$$file" || exit 1; done

format: ## Rewrite the Swift files in the project's format.
	$(SWIFT) format --in-place --parallel --recursive $(SWIFT_SOURCES)

lint: ## Complain about everything `make format` would change, and more.
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_SOURCES)

bench: build ## Whole-process load runs: CPU seconds per million items, peak memory.
	.ci/install bench
	Tests/Bench/run

fuzz: install ## A minute of fuzzing for every parser of outside bytes.
	Tests/Fuzz/run

# Optimised, the instrumented build alone would take longer than all the rest of .ci/run.
fuzz-short: install ## Ten seconds each, two at a time, unoptimised: what .ci/run does.
	Tests/Fuzz/run --unoptimised --seconds 10 --jobs 2 --seed 1

test-asan: install ## The Swift tests with AddressSanitizer: memory errors.
	Tests/Sanitizers/run address

test-tsan: install ## The Swift tests with ThreadSanitizer: data races.
	Tests/Sanitizers/run thread

clean: ## Remove everything that was built.
	rm -rf .build

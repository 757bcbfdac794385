# The short list. Everything sets itself up first; `make lock` alone reaches for newer packages.
PYTHON = .venv/bin/python
COMPILE = .venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --annotation-style=line
FIGURES = $(filter-out fanout_app, $(patsubst benchmarks/%.py, %, $(wildcard benchmarks/[a-z]*.py)))

.PHONY: run test lint types bench web setup lock

run:
	./run

test:
	./test

setup:
	@sh -c '. tools/python.sh; exec "$$python" tools/bootstrap.py test' ./make

lint: setup
	$(PYTHON) tools/check.py --only lint

types: setup
	$(PYTHON) tools/contract.py
	$(PYTHON) tools/check.py --only types

bench:
	@sh -c '. tools/python.sh; exec "$$python" tools/bootstrap.py bench' ./make
	for figure in $(FIGURES); do $(PYTHON) -m benchmarks.$$figure --json || exit; done

web: setup
	$(PYTHON) tools/check.py --only web

lock: setup
	$(COMPILE) -o requirements.lock requirements.in requirements-build.in
	$(COMPILE) -o requirements-dev.lock requirements-dev.in
	$(COMPILE) -o requirements-bench.lock requirements-bench.in
	$(COMPILE) -o requirements-node.lock requirements-node.in

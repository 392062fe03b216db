# make demo        the page on http://127.0.0.1:7860
# make test        all tests; ARGS="tests/test_media.py -k exif" chooses some
# make test-fast   the tests that take no browser and little time
# make check       style, types, known weaknesses and all tests, as before a change is handed in
# make lock        writes the *.lock files anew, after a change in requirements*.txt
# make format      lays the code out
# make screenshots the pictures of the page in docs/, and an animation
# make fuzz ARGS="pictures --count 10000"   reads files that are changed at random; see docs/reliability.md
# make load ARGS="--visitors 32"            lets many visitors ask a page of its own at once
# make space SPACE=owner/name   uploads the demo to a Hugging Face Space; ARGS=--dry-run only lists the files
# make judge       the environment of the eyes that judge results on photographs: stylemask-demo evaluate --real FOLDER
# make clean       removes what these have made here
# All need only make and Python 3.10 to 3.12, and install the rest into .venv.

VENV := .venv
JUDGE := .judge
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --no-input install --quiet
JUDGE_PIP := $(JUDGE)/bin/python -m pip --disable-pip-version-check --no-input install --quiet
OPENCV := $(shell sed -n 's/^opencv-python==//p' requirements.txt)
JUDGE_OPENCV := $(shell sed -n 's/^opencv-contrib-python==\([^ ]*\).*/\1/p' requirements-judge.txt)

LOCK := $(RUN) -m uv pip compile --universal --python-version 3.10 --generate-hashes --no-annotate --no-header --quiet

# Two processes of tests, each with one thread; what shares a reenactor or a page stays in one of them.
TWO := -n 2 --dist loadgroup
# What a test frees is kept for the next one: to ask for it anew takes a tenth of the time.
KEPT := MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=1073741824

export GRADIO_ANALYTICS_ENABLED := False

.PHONY: demo test test-fast check lock format screenshots fuzz load space judge clean

demo: $(VENV)/.ready-demo
	$(RUN) app.py

test: $(VENV)/.ready-test
	$(RUN) tests/browser.py
	$(KEPT) $(RUN) -m pytest $(TWO) $(ARGS)

test-fast: $(VENV)/.ready-test
	$(KEPT) $(RUN) -m pytest $(TWO) -m "not slow and not browser" $(ARGS)

check: $(VENV)/.ready-test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m bandit --quiet --configfile pyproject.toml --recursive stylemask_demo tools app.py
	$(RUN) tools/audit.py
	$(MAKE) test

# For all systems and Pythons that the demo runs on, with the sha256 of every file that the package index may hand out.
lock: $(VENV)/.ready-test
	$(LOCK) requirements.txt -o requirements.lock
	$(LOCK) requirements-dev.txt -o requirements-dev.lock
	echo "opencv-python-headless==$(OPENCV)" | $(LOCK) --no-deps - -o requirements-headless.lock

format: $(VENV)/.ready-test
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

screenshots: $(VENV)/.ready-test
	$(RUN) tests/browser.py
	PYTHONPATH=. $(RUN) tests/screenshots.py

fuzz: $(VENV)/.ready-demo
	PYTHONPATH=. $(RUN) tools/fuzz.py $(ARGS)

load: $(VENV)/.ready-demo
	PYTHONPATH=. $(RUN) tools/load.py $(ARGS)

space: $(VENV)/.ready-demo
	$(RUN) tools/upload_space.py $(SPACE) $(ARGS)

judge: $(JUDGE)/.ready

clean:
	rm -rf $(VENV) $(JUDGE) build *.egg-info .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.ready-demo: requirements.lock requirements-headless.lock | $(VENV)/.made
	@echo "Installing requirements.lock into $(VENV); the first time takes some minutes."
	$(PIP) --require-hashes -r requirements.lock
	$(headless-opencv)
	@touch $@

$(VENV)/.ready-test: requirements-dev.lock requirements-headless.lock | $(VENV)/.made
	@echo "Installing requirements-dev.lock into $(VENV); the first time takes some minutes."
	$(PIP) --require-hashes -r requirements-dev.lock
	$(headless-opencv)
	@touch $@

# opencv-python, which face-alignment asks for, needs libGL and X11, which a bare machine has not. The headless
# build of the same version has the same contents without windows, and goes over it.
define headless-opencv
	$(PIP) --force-reinstall --no-deps --require-hashes -r requirements-headless.lock
endef

# MediaPipe asks for an OpenCV with windows too.
$(JUDGE)/.ready: requirements-judge.txt | $(VENV)/.made
	@echo "Installing requirements-judge.txt into $(JUDGE)."
	$(RUN) -m venv --clear $(JUDGE)
	$(JUDGE_PIP) -r requirements-judge.txt
	$(JUDGE_PIP) --force-reinstall --no-deps opencv-contrib-python-headless==$(JUDGE_OPENCV)
	@touch $@

# The file is made again when the environment was not made here or its Python is gone.
$(VENV)/.made:
	@python=; \
	for candidate in python3 python3.12 python3.11 python3.10; do \
		if $$candidate -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; \
		then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "The demo needs Python 3.10, 3.11 or 3.12, and none is here. On Debian: apt-get install python3 python3-venv" >&2; \
		exit 1; \
	fi; \
	if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "Python's venv module is missing. Install it, on Debian with: apt-get install python3-venv" >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$python"; \
	$$python -m venv --clear $(VENV)
	@touch $@

# make demo        the page on http://127.0.0.1:7860
# make test        all tests; ARGS="tests/test_media.py -k exif" chooses some
# make test-fast   the tests that take no browser and little time
# make check       style, types and all tests, as before a change is handed in
# make format      lays the code out
# make screenshots the pictures of the page in docs/, and an animation
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

# Two processes of tests, each with one thread; what shares a reenactor or a page stays in one of them.
TWO := -n 2 --dist loadgroup

export GRADIO_ANALYTICS_ENABLED := False

.PHONY: demo test test-fast check format screenshots space judge clean

demo: $(VENV)/.ready-demo
	$(RUN) app.py

test: $(VENV)/.ready-test
	$(RUN) tests/browser.py
	$(RUN) -m pytest $(TWO) $(ARGS)

test-fast: $(VENV)/.ready-test
	$(RUN) -m pytest $(TWO) -m "not slow and not browser" $(ARGS)

check: $(VENV)/.ready-test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(MAKE) test

format: $(VENV)/.ready-test
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

screenshots: $(VENV)/.ready-test
	$(RUN) tests/browser.py
	PYTHONPATH=. $(RUN) tests/screenshots.py

space: $(VENV)/.ready-demo
	$(RUN) tools/upload_space.py $(SPACE) $(ARGS)

judge: $(JUDGE)/.ready

clean:
	rm -rf $(VENV) $(JUDGE) build *.egg-info .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.ready-demo: requirements.txt | $(VENV)/.made
	@echo "Installing requirements.txt into $(VENV); the first time takes some minutes."
	$(PIP) -r requirements.txt
	$(headless-opencv)
	@touch $@

$(VENV)/.ready-test: requirements.txt requirements-train.txt requirements-dev.txt | $(VENV)/.made
	@echo "Installing requirements-dev.txt into $(VENV); the first time takes some minutes."
	$(PIP) -r requirements-dev.txt
	$(headless-opencv)
	@touch $@

# opencv-python, which face-alignment asks for, needs libGL and X11, which a bare machine has not. The headless
# build of the same version has the same contents without windows, and goes over it.
define headless-opencv
	$(PIP) --force-reinstall --no-deps opencv-python-headless==$(OPENCV)
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

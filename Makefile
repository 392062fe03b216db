# make demo   the page on http://127.0.0.1:7860
# make test   the tests; ARGS="tests/test_media.py -k exif" chooses some
# Both need only make and Python 3.10 to 3.12, and install the rest into .venv.

VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --no-input install --quiet
OPENCV := $(shell sed -n 's/^opencv-python==//p' requirements.txt)

.PHONY: demo test lint clean

demo: $(VENV)/.ready-demo
	GRADIO_ANALYTICS_ENABLED=False $(RUN) app.py

test: $(VENV)/.ready-test
	GRADIO_ANALYTICS_ENABLED=False $(RUN) -m pytest $(ARGS)

lint: $(VENV)/.ready-test
	$(RUN) -m ruff check .

clean:
	rm -rf $(VENV)

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

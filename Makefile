# Pantel: every target sets up what it needs. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKSHOP := $(VENV)/.workshop
OUT ?= out
# Folders of photographs for training, and pictures for the still benchmark; neither is part of the repository.
PHOTOS ?= photos
IMAGES ?= images
RUN ?= runs/scene-v4
# The Debian package: amd64 or arm64; 3.11 for Debian 12, 3.13 for Debian 13.
DIST ?= dist
DEB_ARCH ?= $(shell dpkg --print-architecture)
DEB_PYTHON ?= $(shell $(PYTHON) -c 'import platform; print(".".join(platform.python_version_tuple()[:2]))')
# What takes long to make of the Debian that test-services boots.
NSPAWN_CACHE ?= /var/cache/pantel-nspawn

export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-export demo live test test-hardware test-services test-arm64 deb fuzz endurance check format reference man lock train-scene export-scene bench-still clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

setup: $(READY) ## create .venv with everything that demo, test and check need

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Pantel needs Python 3.11 or newer: make PYTHON=python3.11 setup"; exit 1; }
	@$(PYTHON) -c 'import struct, sys; sys.exit(struct.calcsize("P") < 8)' || { echo "Pantel needs a 64-bit system: numpy and onnxruntime have no 32-bit wheels"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y python3-venv; } || { echo "Python cannot make virtual environments yet: sudo apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup-export: $(WORKSHOP) ## add PyTorch (CPU) for training and export

$(WORKSHOP): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	@touch $@

demo: $(READY) ## send the bundled scene over a simulated 960 bit/s line; writes out/demo/report.html
	$(BIN)/pantel demo --out $(OUT)/demo

live: $(READY) ## show the bundled scene on the receiver's page, http://127.0.0.1:8080/, until Ctrl-C
	$(BIN)/pantel demo --live --out $(OUT)/live

test: $(READY) ## run all tests that need no hardware
	$(BIN)/pytest -m "not hardware"

test-hardware: $(READY) ## run the tests that need a camera or a radio
	$(BIN)/pytest -m hardware

test-services: $(READY) ## boot a Debian with the services in it (as root; needs systemd-container, mmdebstrap and the network)
	NSPAWN_CACHE=$(NSPAWN_CACHE) $(BIN)/pytest tests/system/nspawn

test-arm64: $(READY) ## exchange payloads with an emulated Raspberry Pi, both ways (as root; needs qemu-user-static, debootstrap)
	tests/system/arm64/run.sh $(OUT)/arm64

deb: $(READY) ## build dist/pantel_VERSION_ARCH.deb; DEB_ARCH=arm64, DEB_PYTHON=3.13 (Debian 13) for other machines
	$(BIN)/python -m pantel_deb --arch $(DEB_ARCH) --python $(DEB_PYTHON) --out $(DIST)

fuzz: $(READY) ## attack the link with a million inputs that nobody sent, 100,000 forgeries and 10,000 recordings
	$(BIN)/python -m tests.firmware_link.fuzz --inputs 1000000 --seed 1

endurance: $(READY) ## let a link run for a virtual day with losses: pace, memory, descriptors
	$(BIN)/python -m tests.firmware_link.endurance --hours 24

check: $(READY) ## ruff, mypy --strict and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

reference: $(READY) ## bring docs/configuration.md, docs/api.md and docs/api-signatures.txt up to date with the program
	$(BIN)/python -m pantel_device.reference configuration docs/configuration.md
	$(BIN)/python -m pantel_device.reference api docs/api.md docs/api-signatures.txt

man: $(READY) ## write the manual page out/pantel.1
	@mkdir -p $(OUT)
	$(BIN)/python -m pantel_device.reference man > $(OUT)/pantel.1

lock: ## write requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra bench --extra export --extra dev --generate-hashes --universal --python-version 3.11 --no-header -o requirements.lock

train-scene: $(WORKSHOP) ## train the scene codec on the folders in PHOTOS; resumes RUN
	$(BIN)/python -m pantel_export train --config export/configs/scene-v4.toml --photos $(PHOTOS) --out $(RUN)

export-scene: $(WORKSHOP) ## build the shipped artefact from RUN
	$(BIN)/python -m pantel_export export --run $(RUN) --name scene-v4 --photos $(PHOTOS)

bench-still: $(READY) ## the still benchmark over IMAGES against its peers
	$(BIN)/pantel bench still --images $(IMAGES) --bpp 0.1,0.05,0.03,0.01 --peers --json $(OUT)/still.json --report $(OUT)/still.html

clean: ## remove what the targets above made, except training runs
	rm -rf $(VENV) $(OUT) .mypy_cache .ruff_cache .pytest_cache .hypothesis

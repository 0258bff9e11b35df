# The commands of korder. `make help` lists them.
#
#   BUILD_TYPE=release|dev   which build the services are taken from (default release)
#   CLUSTER=name             which devcluster instance demo, run and down use (default demo)
#   KUBECONFIG=... KORDER_USE_CLUSTER=1   use that cluster instead of starting one

SHELL := /bin/bash
.DEFAULT_GOAL := help

BUILD_TYPE ?= release
CLUSTER ?= demo
JOBS ?= $(shell nproc)
BUILD := build/$(BUILD_TYPE)

# Compiled objects are shared between clones of this repository, wherever they are.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

.PHONY: help bootstrap build images test test-unit test-integration test-chart test-e2e lint fmt generate manifests \
        simulation single-faults museum mutation install uninstall deploy undeploy run demo down bench bench-quick clean

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

bootstrap: ## Install what is missing: Debian packages, Go-built control plane
	@scripts/bootstrap

$(BUILD)/build.ninja: | bootstrap
	@cmake --preset $(BUILD_TYPE)

build: bootstrap $(BUILD)/build.ninja ## Build the services and tools (BUILD_TYPE=release|dev)
	@ninja -C $(BUILD) -j $(JOBS) services

images: build ## Make the container images, as files in build/images (no Docker needed)
	@scripts/images --bin $(BUILD)/bin

test: bootstrap ## Run every test: unit, then integration on a real control plane
	@scripts/test all

test-unit: bootstrap ## Run the unit tests only
	@scripts/test unit

test-integration: bootstrap ## Run the integration tests only (real control plane)
	@scripts/test integration

test-chart: bootstrap ## Check the chart without a cluster: every value, snapshots (to write them anew: deploy/tests/render --update)
	@deploy/tests/render

test-e2e: build ## Install korder with Helm on a real node (containers, kubelet) and play the examples there; needs root
	@scripts/bootstrap --node
	@scripts/e2e --bin $(BUILD)/bin --json $(BUILD)/e2e.json

lint: bootstrap ## Check format, layers, clang-tidy, thread safety, chart, scripts; changes nothing
	@scripts/lint

fmt: bootstrap ## Format the C++ and Go sources
	@scripts/lint --fix

generate: build ## Regenerate what is generated from sources (protobuf stubs; they live in the build folder)
	@ninja -C $(BUILD) -j $(JOBS) generate

manifests: bootstrap ## Render deploy/install.yaml and docs/values.md from the chart
	@scripts/manifests

install: bootstrap ## Install the CRDs into the cluster of your kubeconfig
	@scripts/cluster install

uninstall: bootstrap ## Remove the CRDs (and with them every Order, Ticket and Quota)
	@scripts/cluster uninstall

deploy: bootstrap ## Deploy korder into the cluster of your kubeconfig (needs images the cluster can pull)
	@scripts/cluster deploy

undeploy: bootstrap ## Remove korder from the cluster of your kubeconfig; the CRDs stay
	@scripts/cluster undeploy

run: build ## Run the four services here, against the cluster of your kubeconfig, until Ctrl-C
	@scripts/services run --bin $(BUILD)/bin

demo: build ## Start a real control plane, run korder on it and play the seed's examples
	@scripts/demo --name $(CLUSTER) --bin $(BUILD)/bin

down: ## Stop what `make demo` left running
	@scripts/demo --down --name $(CLUSTER)

museum: bootstrap ## Plant the known mistakes of this field one at a time; a test must catch each
	@tests/museum/museum

mutation: bootstrap ## Change single operators of ledger, claim and handoff; print how many a test catches
	@tests/museum/mutate --least 85

bench: build ## Print the figures of performance: 15,000 tickets, 1,000 Orders, the ledger, admission, claims (build/bench.json)
	@ninja -C $(BUILD) -j $(JOBS) admission_bench ledger_bench scale_bench integration_test
	@scripts/bench --bin $(BUILD)/bin

bench-quick: build ## The same with 1,500 tickets and 100 Orders, in five minutes
	@ninja -C $(BUILD) -j $(JOBS) admission_bench ledger_bench scale_bench integration_test
	@scripts/bench --quick --bin $(BUILD)/bin

single-faults: bootstrap $(BUILD)/build.ninja ## Lose, repeat and crash at every write and call of the simulated services, one at a time
	@ninja -C $(BUILD) -j $(JOBS) single_faults
	@$(BUILD)/tests/simulation/single_faults --jobs $(JOBS)

simulation: bootstrap $(BUILD)/build.ninja ## Run the services in a deterministic simulation with faults (SEEDS=10000)
	@ninja -C $(BUILD) -j $(JOBS) simulation
	@$(BUILD)/tests/simulation/simulation --seeds $(or $(SEEDS),10000) --jobs $(JOBS)

clean: ## Remove the build folder (caches outside the tree stay)
	@rm -rf build

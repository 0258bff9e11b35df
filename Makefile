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

.PHONY: help bootstrap build images test test-unit test-exhaustive test-races test-integration test-chart test-e2e lint fmt generate manifests \
        simulation single-faults fuzz museum mutation install uninstall deploy undeploy run demo down bench bench-quick bench-curves clean

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

test: bootstrap ## Run every test: unit, exhaustive, races under ThreadSanitizer, then integration on a real control plane
	@scripts/test all

test-unit: bootstrap ## Run the unit tests only
	@scripts/test unit

test-exhaustive: bootstrap ## Run what only the optimised build is fast enough for: every single fault, thousands of seeds
	@scripts/test exhaustive

test-races: bootstrap ## Run what has threads (libs, the ledger) under ThreadSanitizer only
	@scripts/test races

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

fuzz: bootstrap ## Run every fuzzer for SECONDS (30), from SEED (1), with sanitizers: tests/fuzz
	@scripts/fuzz --seconds $(or $(SECONDS),30) --seed $(or $(SEED),1)

museum: bootstrap ## Plant the known mistakes of this field one at a time; a test must catch each
	@tests/museum/museum

mutation: bootstrap ## Change one thing at a time in ledger, claim, handoff and watch; print how many changes a test catches
	@tests/museum/mutate --least 85

BENCHES := admission_bench cold_start_bench decision_bench ingest_bench integration_test ledger_bench recovery_bench scale_bench

bench: build ## Print the figures of performance with gates and goals (build/bench.json, charts in build/bench); about an hour
	@ninja -C $(BUILD) -j $(JOBS) $(BENCHES)
	@scripts/bench --bin $(BUILD)/bin

bench-quick: build ## The same with 1,000 tickets of one Order and fewer runs, in about five minutes
	@ninja -C $(BUILD) -j $(JOBS) $(BENCHES)
	@scripts/bench --quick --bin $(BUILD)/bin

bench-curves: build ## How cost grows with tickets, Orders, quotas, nodes, waiting pods; added to build/bench.json
	@ninja -C $(BUILD) -j $(JOBS) $(BENCHES)
	@scripts/bench curves --add --bin $(BUILD)/bin

single-faults: bootstrap $(BUILD)/build.ninja ## Lose, repeat and crash at every write and call of the simulated services, one at a time
	@ninja -C $(BUILD) -j $(JOBS) single_faults
	@$(BUILD)/tests/simulation/single_faults --jobs $(JOBS)

simulation: bootstrap $(BUILD)/build.ninja ## Run the services in a deterministic simulation with faults (SEEDS=10000)
	@ninja -C $(BUILD) -j $(JOBS) simulation
	@$(BUILD)/tests/simulation/simulation --seeds $(or $(SEEDS),10000) --jobs $(JOBS)

clean: ## Remove the build folder (caches outside the tree stay)
	@rm -rf build

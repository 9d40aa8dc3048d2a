# Each target is a thin call of a script: read the script for what it does.
.DEFAULT_GOAL := help
.PHONY: help demo test bench build format lint

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Archive the sample library, or PHOTOS=DIR, into a simulated bucket and compare every byte
	@scripts/demo

test: ## Run everything that CI runs
	@scripts/install-dependencies --tests
	@scripts/test

bench: ## Measure coldroll beside curl, rclone and pgqueuer
	@Benchmarks/run

build: ## Build the release programs
	@scripts/install-dependencies
	@scripts/build

format: ## Rewrite the Swift sources in the project's format
	@scripts/swift-format

lint: ## Check format, shell scripts, Dockerfile and compose file
	@scripts/test lint

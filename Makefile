# Matinee's commands. `make demo` and `make test` are all a newcomer needs.

export MATINEE_TOOLS ?= $(HOME)/.cache/matinee/tools
export MATINEE_FFMPEG ?= $(MATINEE_TOOLS)/bin/ffmpeg
export MATINEE_FFPROBE ?= $(MATINEE_TOOLS)/bin/ffprobe
# Outside of the checkout, so that a fresh clone starts warm.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/matinee/target

.PHONY: run demo test test-rust test-web test-browser check web types build bench-onboard bench-package bench-upload bench-first-frame bench-starve bench-play bench-home bench-heartbeats bench-search bench-recommend bench-overload

## run: installs what is missing, builds and runs the service on the embedded defaults
run: tools web
	cargo build --release --workspace --bin matinee
	$(CARGO_TARGET_DIR)/release/matinee --data $(HOME)/.local/share/matinee run

## demo: installs what is missing, builds, takes its films in and prints where they play
demo: tools-demo web
	cargo build --release --workspace --bin matinee
	tests/demo/run

## test: installs what is missing and passes all tests
test: tools-tests check test-web test-rust test-browser

.PHONY: tools tools-demo tools-tests
tools:
	tools/install

tools-demo:
	tools/install demo

tools-tests:
	tools/install tests checks

## web: the viewer's application and the studio, which the program embeds
web: web/dist/index.html

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

web/dist/index.html: web/node_modules/.package-lock.json web/index.html $(shell find web/src -type f 2>/dev/null)
	cd web && npm run build

## types: the application's types, of what the gateway serves; renew them after a change of its JSON
types: web/node_modules/.package-lock.json
	cargo build --workspace --bins --tests
	$(CARGO_TARGET_DIR)/debug/matinee openapi > web/openapi.json.new
	mv web/openapi.json.new web/openapi.json
	cd web && npm run types

# With the tests, whose features differ: so the program and its tests are built once.
build: web
	cargo build --workspace --bins --tests

## check: formatting, lints, licences and layering
check: web
	cargo fmt --all --check
	tests/layering
	cargo clippy --workspace --all-targets -- -D warnings
	cargo deny --offline check licenses bans sources

test-rust: web
	cargo test --workspace

## test-browser: films played in Chromium, and uploads by a real client
test-browser: build tests/browser/node_modules/.package-lock.json
	cd tests/browser && npm test

tests/browser/node_modules/.package-lock.json: tests/browser/package.json tests/browser/package-lock.json
	cd tests/browser && npm ci --no-audit --no-fund
	touch $@

test-web: web
	cd web && npm run lint && npm test

## bench-NAME: ours beside the peer, in one go; one line at the end says the ratio
bench-onboard bench-package bench-upload bench-first-frame bench-starve bench-play bench-home bench-heartbeats bench-search bench-recommend bench-overload: bench-%: tools-tests web
	cargo build --release --workspace --bin matinee --bin matinee-bench
	$(CARGO_TARGET_DIR)/release/matinee-bench $*

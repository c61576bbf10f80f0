#!/usr/bin/env bash
# Prerequisites: `prepare.sh run` installs what the demo needs, `prepare.sh test` also what the tests need. `prepare.sh engines`
# installs further browsers, in which tests run where they are: some hundred megabytes that nothing else needs; `prepare.sh fuzz`
# what `make fuzz-api` runs.
# Fast if everything is installed. Installs Debian packages itself only as root or with passwordless sudo.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

what=${1:-run}
case $what in run | test | engines | fuzz) ;; *) echo "usage: $0 run|test|engines|fuzz" >&2; exit 2 ;; esac

packages=(dovecot-imapd dovecot-lmtpd dovecot-sieve dovecot-managesieved dovecot-sqlite dovecot-flatcurve tzdata sqop openssl)
servers=() # what tests skip where it can't be installed
requirements=(requirements.txt)
if [ "$what" = test ]; then
    packages+=(w3m tmux fonts-dejavu-core)
    # the browser without its windows takes a third of the processor's time; a whole one that is here serves too
    if [ -x /usr/bin/chromium ]; then servers+=(chromium-headless-shell); else packages+=(chromium-headless-shell); fi
    servers+=(postgresql dovecot-pgsql nginx clamav-daemon libfaketime)
    servers+=(restic) # what backups are kept by
    servers+=(gnupg) # what others write and read encrypted mail with
    servers+=(python3-gi gir1.2-ical-3.0) # libical, beside which rules of what recurs are tried
    servers+=(slapd libldap-dev libsasl2-dev gcc libc6-dev) # the directory, and what building python-ldap takes
    # for the checkers of pages, in whatever package this machine has them
    command -v npm >/dev/null || servers+=(npm)
    command -v java >/dev/null || servers+=(default-jre-headless)
    # Debian has one mail server at a time: another one stays
    if [ ! -e /usr/sbin/sendmail ] || [ -e /usr/sbin/postconf ]; then
        servers+=(postfix postfix-sqlite postfix-pgsql python3-milter python3-dkim python3-spf python3-dnspython python3-psycopg2)
    fi
    requirements+=(requirements-dev.txt)
fi

say() { printf '%s\n' "$*" >&2; }

python=
for candidate in python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || packages+=(python3)
# Debian has ensurepip in python3-venv
if [ ! -x .venv/bin/python ] && ! "${python:-python3}" -c 'import ensurepip' 2>/dev/null; then
    packages+=(python3-venv)
fi

missing_of() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
    done
}
missing=()
missing_of "${packages[@]}"
needed=${#missing[@]}
missing_of "${servers[@]}"

# Debian starts services on installation. They would listen on all interfaces: prevent that for this installation.
policy=/usr/sbin/policy-rc.d
install_packages() {
    local as_root=("$@") ours= package service
    declare -A services=([dovecot-imapd]="dovecot.service dovecot.socket" [postgresql]=postgresql.service
        [postfix]=postfix.service [nginx]=nginx.service [slapd]=slapd.service
        [clamav-daemon]="clamav-daemon.service clamav-daemon.socket clamav-freshclam.service")
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
        "${as_root[@]}" chmod 755 $policy
        ours=yes
    fi
    local result=0
    {
        if [[ " ${missing[*]} " == *" postfix "* ]]; then # otherwise it asks, or writes a configuration that nobody wants
            echo "postfix postfix/main_mailer_type select No configuration" | "${as_root[@]}" debconf-set-selections || true
        fi
        "${as_root[@]}" apt-get update -q &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
    } >&2 || result=$?
    if [ -n "$ours" ]; then
        "${as_root[@]}" rm -f $policy
        # nor at the next boot, unless somebody enables them
        for package in "${missing[@]}"; do
            for service in ${services[$package]:-}; do
                "${as_root[@]}" systemctl disable --quiet "$service" 2>/dev/null || true
            done
        done
    fi
    return $result
}

can_install() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }; }

# Packages of npm below .venv, by the lock file of a folder of tests. What needs them is skipped where they can't be installed.
install_node_packages() {
    local folder=$1 place=.venv/$1 sum
    sum=$(sha256sum "tests/$folder/package-lock.json")
    command -v npm >/dev/null && [ "$(cat "$place/installed" 2>/dev/null)" != "$sum" ] || return 0
    say "Installing tests/$folder into $place"
    mkdir -p "$place"
    cp "tests/$folder/package.json" "tests/$folder/package-lock.json" "$place/"
    if (cd "$place" && npm ci --ignore-scripts --no-audit --no-fund --silent >&2); then
        printf '%s\n' "$sum" >"$place/installed"
    else
        say "npm can't install them: the tests that need them are skipped."
    fi
}

if [ "$what" = engines ]; then
    if [ -d .venv ]; then
        exec 9>.venv/engines.lock # held until all of it is there; nothing that goes on running inherits it
        flock 9
        install_node_packages engines 9>&-
    else
        say "Old Chromiums come after \`deploy/prepare.sh test\`, beside the rest."
    fi
    missing=()
    missing_of firefox-esr webkitgtk-webdriver xvfb
    [ ${#missing[@]} -gt 0 ] || exit 0
    as_root=(env)
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    if ! can_install || ! { say "Installing: ${missing[*]}" && install_packages "${as_root[@]}" 9>&-; }; then
        say "Tests that need these Debian packages are skipped: ${missing[*]}"
    fi
    exit 0
fi

if [ ${#missing[@]} -gt 0 ] && [ "$needed" = 0 ] && ! can_install; then
    say "Tests that need these Debian packages are skipped: ${missing[*]}"
elif [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        say "Missing programs, and no apt-get here. On Debian 13 they are the packages: ${missing[*]}"
        exit 1
    elif [ "$(id -u)" = 0 ]; then
        say "Installing: ${missing[*]}"
        install_packages env
    elif can_install; then
        say "Installing: ${missing[*]}"
        install_packages sudo -n
    else
        say "These Debian packages are missing: ${missing[*]:0:needed}"
        say "Type this, then try again:"
        say ""
        say "    sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]:0:needed}"
        say ""
        say "(Dovecot's packages start a mail server of their own; \`sudo systemctl disable --now dovecot\` stops it.)"
        exit 1
    fi
    python=${python:-python3}
fi

if ! dovecot --version 2>/dev/null | grep -q '^2\.4' && ! /usr/sbin/dovecot --version 2>/dev/null | grep -q '^2\.4'; then
    say "Traboule's configuration needs Dovecot 2.4 (Debian 13); this is $(/usr/sbin/dovecot --version 2>/dev/null || echo none)."
    exit 1
fi

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    say "Making .venv with $($python --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi

# What tests skip where it can't be installed, each beside the others: the checkers of pages, a provider to sign in by, a client of tus.
if [ "$what" = test ]; then
    for folder in checkers providers tus; do install_node_packages $folder & done
fi

# Programs for tests in an environment of their own: a CAS server to sign in by, clients of calendars and contacts, schemathesis.
install_apart() {
    local name=$1 place=.venv/$1 file=requirements-$1.txt sum
    sum=$(sha256sum "$file")
    [ "$(cat "$place/installed" 2>/dev/null)" != "$sum" ] || return 0
    say "Installing $file into $place"
    [ -x "$place/bin/python" ] || .venv/bin/python -m venv "$place"
    if "$place/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$file"; then
        printf '%s\n' "$sum" >"$place/installed"
    else
        say "The programs of $file can't be installed: the tests that need them are skipped."
    fi
}
if [ "$what" = test ]; then
    for name in cas dav-clients; do install_apart $name & done
elif [ "$what" = fuzz ]; then
    install_apart schemathesis
fi

for file in "${requirements[@]}"; do
    stamp=.venv/installed-$file
    sum=$(sha256sum "$file")
    if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
        say "Installing $file into .venv"
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$file"
        printf '%s\n' "$sum" >"$stamp"
    fi
done

# What pages say in other languages is compiled from its source, whose digest a compiled catalogue ends with.
for source in webmail/translations/*/LC_MESSAGES/*.po; do
    if [ "$(tail -c 64 "${source%.po}.mo" 2>/dev/null)" != "$(sha256sum <"$source" | cut -d ' ' -f 1)" ]; then
        say "Compiling $source"
        .venv/bin/python -m webmail.translations >/dev/null
    fi
done

# What the start of a web service knows of the areas whose pages come when they are asked for.
.venv/bin/python -m webmail.web.late_areas

# Tests of an LDAP directory are skipped where python-ldap can't be built.
if [ "$what" = test ] && command -v gcc >/dev/null && [ -e /usr/include/ldap.h ]; then
    stamp=.venv/installed-requirements-ldap.txt
    sum=$(sha256sum requirements-ldap.txt)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
        say "Installing requirements-ldap.txt into .venv"
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-ldap.txt &&
            printf '%s\n' "$sum" >"$stamp" || say "python-ldap can't be built: the tests that need it are skipped."
    fi
fi

wait

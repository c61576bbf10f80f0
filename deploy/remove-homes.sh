#!/bin/sh
# Removes the folders of mailboxes whose account was deleted: as root, once a day (deploy/traboule-homes.timer).
# Usage: remove-homes.sh <folder of all mailboxes> <command that lists them: ... flask --app wsgi accounts homes>
set -eu
mail=$1
shift
[ -d "$mail" ] || { echo "$mail is not a folder" >&2; exit 1; }
# first the whole list: half of one, from a command that breaks off, would look like success
homes=$("$@")
printf '%s\n' "$homes" | while IFS= read -r home; do
    # a domain and a name, nothing that leads elsewhere
    case $home in
        "") continue ;;
        /* | */*/* | *..* | .* | */.* | */) echo "not removed: $home" >&2; continue ;;
        */*) ;;
        *) echo "not removed: $home" >&2; continue ;;
    esac
    if [ -d "$mail/$home" ] && [ ! -L "$mail/$home" ] && [ ! -L "$mail/${home%%/*}" ]; then
        rm -rf -- "$mail/$home"
        echo "removed $mail/$home"
    fi
done

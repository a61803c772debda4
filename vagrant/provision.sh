#!/usr/bin/env bash
# Prepares a Debian or Ubuntu machine that has the project in /vagrant: installs what README.md
# says is needed and makes .venv outside the synced folder, which may lack symbolic links and
# owners. Run by `vagrant up`, as root; can be run again at any time.
set -euo pipefail

project=/vagrant
state=/var/lib/wirelab
packages=(make python3 python3-venv)
owner=${SUDO_USER:-root}

if [ "$(id -u)" != 0 ]; then
    echo "provision.sh: cannot install packages as $(id -un); run it with sudo" >&2
    exit 1
fi
if [ ! -f "$project/pyproject.toml" ]; then
    echo "provision.sh: no project in $project; start the machine with vagrant/Vagrantfile" >&2
    exit 1
fi

# A machine that has just booted may be updating itself; apt-get waits for some locks, not for all.
LOCKED_S=300
apt_get() {
    local end=$((SECONDS + LOCKED_S)) said
    until said=$(LC_ALL=C DEBIAN_FRONTEND=noninteractive \
        apt-get --quiet=2 -o DPkg::Lock::Timeout=$LOCKED_S -o Dpkg::Use-Pty=0 "$@" \
        2>&1 >/dev/null); do
        if [[ $said != *'Could not get lock'* ]] || [ $SECONDS -gt $end ]; then
            printf '%s\n' "$said" "provision.sh: apt-get $1 failed; what it said is above" >&2
            return 1
        fi
        sleep 2
    done
    [ -z "$said" ] || printf '%s\n' "$said" >&2
}

missing=()
for package in "${packages[@]}"; do
    state_of_package=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" \
        2>/dev/null || true)
    [ "$state_of_package" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    apt_get update
    apt_get install --no-install-recommends "${missing[@]}"
fi

# The Makefile reads this, whoever calls it: sudo drops the environment.
echo "VENV := $state/venv" >/etc/wirelab.mk
install --directory --owner="$owner" "$state"
runuser --user "$owner" -- make --no-print-directory --directory="$project" "$state/venv/.ready"

echo "ready; next: vagrant ssh -c 'cd /vagrant && sudo make scenario-tcp'"

#!/bin/sh
# The steps that turn a bare Debian 13 into one that runs Sixty. The Containerfile takes them one a layer; they run as
# well in any clean root, which is how they are tested. Each is run as root, and needs no step but those before it.
#
#   build.sh system              Python, trusted certificates, pg_dump and pg_restore, and the user who will run it
#   build.sh install SOURCE      Sixty from this tree, and the packs that PACKS names, in $PREFIX
set -eu

PREFIX=${PREFIX:-/opt/sixty}
PACKS=${PACKS-activities analytics contacts deals n8n tasks}
OWNER=10001 # outside of what hosts give to people and daemons, so that it owns nothing there

packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update
    apt-get -q install --yes --no-install-recommends "$@"
    apt-get clean
    rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old
}

system() {
    packages ca-certificates postgresql-client-17 python3
    groupadd --gid "$OWNER" sixty
    useradd --uid "$OWNER" --gid "$OWNER" --no-create-home --home-dir /var/lib/sixty --shell /usr/sbin/nologin sixty
    install --directory --owner sixty --group sixty --mode 0750 /var/lib/sixty /var/lib/sixty/backups
}

install_sixty() {
    packages python3-venv
    python3 -m venv "$PREFIX"
    cd "$1"
    set -- './core[bucket,traces]'
    for pack in $PACKS; do
        set -- "$@" "./plugins/$pack"
    done
    # also for what builds the wheels, which pip installs apart
    PIP_CONSTRAINT="$PWD/constraints.txt" "$PREFIX/bin/pip" install --no-cache-dir --prefer-binary "$@"
    # a root that is read-only takes no further packs
    "$PREFIX/bin/pip" uninstall --quiet --yes pip
}

case ${1-} in
system) system ;;
install) install_sixty "$2" ;;
*) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac

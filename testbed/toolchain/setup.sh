# Sets up a checkout: Python, system packages, virtual environment, programs. Sourced by
# ./quickstart and ./run-tests; does nothing that is done already, and needs no network then.
# Sets: root (the checkout). Exit code 3: something is missing that has to be installed by hand.

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    shift
    (($# == 0)) || printf '  %s\n' "$@" >&2
    exit 3
}

say() { printf '%s\n' "$*" >&2; }

root=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")

# nft and ip stand where an ordinary user of Debian does not look.
PATH="$PATH:/usr/sbin:/sbin"

# Settings of the user's that would bend the virtual environment.
unset PYTHONHOME PYTHONPATH PYTHONSTARTUP VIRTUAL_ENV PIP_TARGET PIP_PREFIX
export PYTHONNOUSERSITE=1 PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1
# Ansible refuses a locale that is not UTF-8.
case "${LC_ALL:-${LC_CTYPE:-${LANG:-}}}" in
    *UTF-8 | *utf8 | *UTF8 | *utf-8) ;;
    *) export LC_ALL=C.UTF-8 ;;
esac

# Programs that only the tests need, each with the Debian package that brings it.
# shellcheck disable=SC2034 # read by ./run-tests
test_programs=(promtool=prometheus chromium=chromium)
# Services of such packages: the tests need the programs alone.
unwanted_services=(prometheus)
policy=/usr/sbin/policy-rc.d

# Prints the Python to use: the first of 3.11 to 3.13 that runs.
find_python() {
    local candidate
    for candidate in ${TESTBED_PYTHON:+"$TESTBED_PYTHON"} python3.11 python3.12 python3.13 python3 \
        /usr/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
            >/dev/null 2>&1; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

# missing_packages [PROGRAM=PACKAGE...]: sets `packages` to the Debian packages that are missing,
# those of the given programs among them.
missing_packages() {
    local pair
    packages=()
    command -v nft >/dev/null || packages+=(nftables)
    command -v ip >/dev/null || packages+=(iproute2)
    command -v unshare >/dev/null && command -v nsenter >/dev/null || packages+=(util-linux)
    if [[ -z $python ]]; then
        packages+=(python3 python3-venv)
    elif [[ ! -x $root/.venv/bin/python ]] && ! can_make_venv; then
        packages+=(python3-venv)
    fi
    # Building Consul and Toxiproxy fetches their source over TLS.
    [[ -e /etc/ssl/certs/ca-certificates.crt || -n ${SSL_CERT_FILE:-}${SSL_CERT_DIR:-} ]] ||
        packages+=(ca-certificates)
    for pair; do
        command -v "${pair%%=*}" >/dev/null || packages+=("${pair#*=}")
    done
}

# Prints which of `packages` bring a service that has to be switched off.
missing_services() {
    local package service
    for package in "${packages[@]}"; do
        for service in "${unwanted_services[@]}"; do
            [[ $package == "$service" ]] && printf '%s\n' "$service"
        done
    done
}

# quiet_apt LOG WORDS...: apt-get with all that it prints in a log, and no service started by it.
quiet_apt() (
    log=$1
    shift
    if [[ ! -e $policy ]]; then
        trap 'rm -f "$policy"' EXIT
        # What Debian asks before a package starts a service; 101: not allowed.
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    fi
    apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null
)

# Keeps the services from being started by the next boot.
switch_off() {
    local service
    for service; do
        systemctl disable "$service" >/dev/null 2>&1 || update-rc.d "$service" disable || true
    done >/dev/null 2>&1
}

# Whether this Python can make a virtual environment with pip in it, one way or the other.
can_make_venv() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        "$python" -c 'import venv, pip' 2>/dev/null
}

# install_packages [PROGRAM=PACKAGE...]: installs what is missing, or says what to type.
install_packages() {
    local packages services
    missing_packages "$@"
    ((${#packages[@]} == 0)) && return
    local line="apt-get install -y --no-install-recommends ${packages[*]}"
    mapfile -t services < <(missing_services)
    if ! command -v apt-get >/dev/null; then
        fail "missing: ${packages[*]} (names of Debian's packages)" \
            "Install what brings them on this system, then run ${0##*/} again."
    fi
    if ((EUID != 0)); then
        fail "missing: ${packages[*]}" "Type: sudo $line" \
            ${services[0]:+"Type: sudo systemctl disable --now ${services[*]} # not needed"} \
            "Then run ${0##*/} again."
    fi
    say "Installing ${packages[*]} ..."
    local log
    log=$(mktemp "${TMPDIR:-/tmp}/testbed-apt.XXXXXX") || fail "cannot write ${TMPDIR:-/tmp}"
    export DEBIAN_FRONTEND=noninteractive
    # A failed update may still leave a good list behind: the install decides.
    quiet_apt "$log" update || true
    # shellcheck disable=SC2086
    if ! quiet_apt "$log" ${line#apt-get }; then
        tail -n 5 "$log" >&2
        fail "could not install ${packages[*]} (log: $log)" "Type: $line" \
            "Then run ${0##*/} again."
    fi
    switch_off "${services[@]}"
    rm -f "$log"
    hash -r
    [[ -n $python ]] || python=$(find_python)
    missing_packages "$@"
    ((${#packages[@]} == 0)) || fail "installed, but still missing: ${packages[*]}"
}

# What the virtual environment has to have been made from.
fingerprint() {
    printf '%s\n' "$root" "$("$root/.venv/bin/python" -c 'import sys; print(sys.version)')"
    cat "$1" "$root/pyproject.toml" | sha256sum
}

# up_to_date LOCK: whether the virtual environment holds what a lock names. The developers' lock
# contains the other one, so its stamp counts for both.
up_to_date() {
    local lock stamp
    for lock in "$1" "$root/requirements-dev.lock"; do
        stamp="$root/.venv/.stamp-${lock##*/}"
        [[ -x $root/.venv/bin/testbed && -r $stamp ]] || continue
        [[ $(<"$stamp") == "$(fingerprint "$lock" 2>/dev/null)" ]] && return 0
    done
    return 1
}

# Whether there is a virtual environment that was made here by a Python that still runs.
venv_sound() {
    grep -qsF "$root/.venv" "$root/.venv/bin/activate" &&
        "$root/.venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

make_venv() {
    local venv="$root/.venv" options=(--clear) trial
    trial="$venv/.trial-$$"
    if ! { mkdir -p "$venv" && printf '#!/bin/sh\n' >"$trial" && chmod +x "$trial"; } 2>/dev/null
    then
        fail "cannot write $venv, or its disk is full" \
            "Clone the project into a folder of yours, and run it there."
    fi
    "$trial" 2>/dev/null || {
        rm -f "$trial"
        fail "programs cannot be executed in $venv: its file system is mounted noexec" \
            "Clone the project into a folder elsewhere, and run it there."
    }
    rm -f "$trial"
    venv_sound && return
    "$python" -c 'import ensurepip' 2>/dev/null || options+=(--without-pip)
    "$python" -m venv "${options[@]}" "$venv" >&2 ||
        fail "could not make the virtual environment $venv with $python"
}

# install_lock LOCK: installs what a lock names, every file checked against its checksum.
install_lock() {
    local pip=("$root/.venv/bin/python" -m pip) log="$root/.venv/setup.log" count all line
    "${pip[@]}" --version >/dev/null 2>&1 ||
        pip=("$python" -m pip --python "$root/.venv/bin/python")
    rm -f "$root/.venv/.stamp-"*
    all=$(grep -c '^[a-z0-9].*==' "$1")
    count=0
    say "Installing $all Python packages into $root/.venv ..."
    "${pip[@]}" install --no-input --progress-bar off --require-hashes --no-deps \
        --requirement "$1" 2>"$log.errors" </dev/null | while IFS= read -r line; do
        printf '%s\n' "$line" >&3
        [[ $line == Collecting* || $line == Requirement* ]] && count=$((count + 1))
        [[ -t 2 ]] && printf '\r%s of %s \e[K' "$count" "$all" >&2
        [[ -t 2 && $line == Installing* ]] && printf '\r%s\e[K' "unpacking" >&2
    done 3>"$log"
    ((PIPESTATUS[0] == 0)) || pip_failed "$log"
    "${pip[@]}" install --no-input --quiet --no-deps --no-index --no-build-isolation \
        --editable "$root" >>"$log" 2>"$log.errors" </dev/null || pip_failed "$log"
    [[ ! -t 2 ]] || printf '\r\e[K' >&2
    fingerprint "$1" >"$root/.venv/.stamp" && mv "$root/.venv/.stamp" "$root/.venv/.stamp-${1##*/}"
}

pip_failed() {
    [[ ! -t 2 ]] || printf '\r\e[K' >&2
    grep -v '^WARNING' "$1.errors" | tail -n 4 >&2
    local advice="Try again; what was fetched is kept."
    if grep -qiE 'no space left|quota' "$1.errors"; then
        advice="The disk is full: free some space, and try again."
    elif grep -qiE 'resolution|connection|network|timed out|no matching distribution' \
        "$1.errors"; then
        advice="Is there a network? It is needed this once; from then on all works offline."
    elif grep -qi 'hashes' "$1.errors"; then
        advice="A package is not the one that the lock pins: do not use it."
    fi
    fail "could not install the Python packages (log: $1, $1.errors)" "$advice"
}

# Compiles our modules: where Python is told to keep no bytecode (PYTHONDONTWRITEBYTECODE), each of a
# run's many processes would compile all that it imports.
compile_modules() {
    "$root/.venv/bin/python" -m compileall -q "$root/testbed" "$root/faults" "$root/experiments" \
        >/dev/null 2>&1 || true
}

# set_up LOCK [PROGRAM=PACKAGE...]: everything, for what that lock names and for these programs.
set_up() {
    local python lock="$root/$1"
    shift
    python=$(find_python)
    install_packages "$@"
    if ! up_to_date "$lock"; then
        exec 9<"$root"
        flock -n 9 || { say "Another set-up of $root is going on; waiting for it."; flock 9; }
        if ! up_to_date "$lock"; then
            make_venv
            install_lock "$lock"
        fi
        exec 9<&-
    fi
    compile_modules
    "$root/.venv/bin/testbed" prepare --quiet || exit 3
}

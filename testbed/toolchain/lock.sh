#!/usr/bin/env bash
# Writes the locks anew from pyproject.toml: every package with its version and its checksums.
# Needs uv on PATH. Run it after a change of dependencies, and commit what it writes.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
compile() {
    uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
        --custom-compile-command testbed/toolchain/lock.sh "$@"
}
compile pyproject.toml --group build --output-file requirements.lock
compile pyproject.toml --group build --group dev --constraint requirements.lock \
    --output-file requirements-dev.lock
compile --group go --output-file testbed/toolchain/go.lock

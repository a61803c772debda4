#!/usr/bin/env bash
# Gradescope calls this once, as root, when it builds the image that submissions are graded in.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

has_311() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'
}

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv
python=python3
if ! has_311 "$python"; then
    # Ubuntu 22.04 has Python 3.10 by that name, and 3.11 beside it.
    apt-get install -y --no-install-recommends python3.11 python3.11-venv
    python=python3.11
fi
"$python" -m venv wirelab

# The wheel that lies beside this script.
shopt -s nullglob
wheels=(source/*.whl)
wirelab/bin/pip install --disable-pip-version-check "${wheels[@]:?no wheel of wirelab beside setup.sh}"

# A sheet that is none fails here, while the image is built, and not before the first student.
wirelab/bin/wirelab grade source/sheet.py --explain

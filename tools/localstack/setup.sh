#!/usr/bin/env bash
# usage: setup.sh VENV    LocalStack 4.14.0 for host mode in a virtual environment. Does nothing when it is there already.
# Needs Python 3.13 (PYTHON313, else python3.13 on the path or pyenv's), and to run it Java 17 or newer and npm; where one
# is missing it says so and ends with status 69.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

missing() { echo "LocalStack in host mode needs $1, which is not here." >&2; exit 69; }

python=
for candidate in "${PYTHON313:-}" python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
  if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[ -n "$python" ] || missing "Python 3.13"
java -version 2>/dev/null || missing "Java"
command -v npm >/dev/null || missing "npm"

stamp=$1/$(cat "$here"/*.txt "$here"/*.toml "$here"/host_mode/*.py | sha256sum | cut -c1-16)
[ -e "$stamp" ] && exit 0
"$python" -m venv --clear "$1"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$here"/pyproject.toml "$here"/host_mode "$scratch"  # a build leaves files behind
"$1/bin/python" -m pip install --quiet --disable-pip-version-check -c "$here/constraints.txt" "$scratch"
touch "$stamp"

# Sourced by ./run and ./test: sets `here` (the checkout) and `python` (any Python >= 3.11), or ends with a sentence.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
python=
for candidate in python3 python3.13 python3.12 python3.11 python3.14; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "heatops: no Python 3.11 or newer was found." >&2
    echo "Install it: apt-get install python3 python3-venv python3-dev (Debian 12, Ubuntu 24.04 or newer)" >&2
    exit 1
fi

# What scripts/setup, scripts/test and .ci/run share: the folder, cargo, and Debian packages.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [[ -f ${CARGO_HOME:-$HOME/.cargo}/env ]]; then
  # shellcheck source=/dev/null
  . "${CARGO_HOME:-$HOME/.cargo}/env"
fi

# COMMAND PACKAGE... in each argument.
TO_BUILD=("cc gcc libc6-dev" "pkg-config pkg-config" "openssl.pc libssl-dev")
TO_TEST=("bash bash" "zsh zsh" "fish fish" "jq jq" "xxd xxd" "setsid util-linux")

# Installs the packages of those whose command is missing; needs no root if none is.
install_missing() {
  local entry check packages missing=()
  for entry in "$@"; do
    read -r check packages <<<"$entry"
    # shellcheck disable=SC2206 # several packages, separated by spaces
    found "$check" || missing+=($packages)
  done
  if ((${#missing[@]} == 0)); then
    return
  fi
  if ! command -v apt-get >/dev/null; then
    fail "Missing here: ${missing[*]} (names of Debian packages). Install them, then run this again."
  fi
  echo "Installing ${missing[*]}"
  as_root apt-get update -qq
  as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

found() {
  case $1 in
    openssl.pc) pkg-config --exists openssl 2>/dev/null ;;
    venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    *) PATH=$PATH:/usr/sbin command -v "$1" >/dev/null ;;
  esac
}

as_root() {
  if [[ $(id -u) == 0 ]]; then
    DEBIAN_FRONTEND=noninteractive "$@"
  elif command -v sudo >/dev/null; then
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else
    fail "Run this as root: $*"
  fi
}

need_rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  found=$(rustc --version 2>/dev/null | cut -d ' ' -f 2) || true
  if [[ $(printf '%s\n' "$wanted" "${found:-0}" | sort -V | head -n 1) != "$wanted" ]]; then
    fail "wscope needs Rust $wanted or newer; found: ${found:-none}. Get it at https://rustup.rs, or run: rustup update"
  fi
}

fail() {
  echo "$*" >&2
  exit 1
}

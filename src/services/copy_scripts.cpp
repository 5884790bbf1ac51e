#include "services/copy_scripts.hpp"

namespace agentdb9::services {
namespace {

// The first two arguments are the directory and the name, and what `shift` leaves are the roots. A dot keeps
// the newlines at a name's end from $().
constexpr std::string_view kCommon = R"(command -v tar >/dev/null 2>&1 || exit 43
directory=$(printf '%b.' "$1") directory=${directory%.}
name=$(printf '%b.' "$2") name=${name%.}
inside() {
  here=$(pwd -P; echo .) here=${here%??}
  for root do
    real=$(cd -P -- "$root" 2>/dev/null && pwd -P) || continue
    case $here/ in "$real"/*) return 0 ;; esac
  done
  return 1
}
)";

constexpr std::string_view kRead = R"(shift 2
cd -P -- "$directory" 2>/dev/null || exit 41
inside "$@" || exit 42
[ -e "./$name" ] || [ -L "./$name" ] || exit 41
if [ -d "./$name" ] && [ ! -L "./$name" ]; then
  cd -P -- "./$name" || exit 41
  exec tar -cf - .
fi
exec tar -cf - "./$name"
)";

// All of it is unpacked beside its place before anything is moved there. A directory that is there already is
// filled; a link is replaced, and never followed. One that may not be written to cannot be moved either.
constexpr std::string_view kWrite = R"(as_directory=$3
shift 3
cd -P -- "$directory" 2>/dev/null || exit 44
inside "$@" || exit 42
into=
if [ -d "./$name" ]; then
  cd -P -- "./$name" || exit 44
  inside "$@" || exit 42
  into=1
elif [ -n "$as_directory" ]; then
  exit 44
fi
fresh=$(mktemp -d ./.agentdb9-copy-XXXXXX 2>/dev/null) || exit 48
trap 'chmod -R u+rwX "$fresh" 2>/dev/null; rm -rf "$fresh"' EXIT
trap 'exit 143' HUP INT TERM
tar -xopf - -C "$fresh" || exit 49
chmod u+rwx "$fresh"
place() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    [ ! -L "$2" ] || exit 46
    if [ -d "$2" ]; then
      [ -w "$1" ] || chmod u+w "$1"
      for each in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        if [ -e "$each" ] || [ -L "$each" ]; then place "$each" "$2/${each##*/}"; fi
      done
      return 0
    fi
    [ ! -e "$2" ] || exit 46
    mv -f "$1" "$2" 2>/dev/null && return 0
    [ ! -w "$1" ] && chmod u+w "$1" && mv -f "$1" "$2" && chmod u-w "$2" || exit 48
    return 0
  fi
  if [ -d "$2" ]; then
    [ -L "$2" ] || exit 46
    rm -f "$2" || exit 48
  fi
  mv -f "$1" "$2" || exit 48
}
set --
for each in "$fresh"/* "$fresh"/.[!.]* "$fresh"/..?*; do
  if [ -e "$each" ] || [ -L "$each" ]; then set -- "$@" "$each"; fi
done
[ $# -gt 0 ] || exit 47
if [ -z "$into" ]; then
  [ $# -eq 1 ] || exit 45
  place "$1" "./$name"
  exit 0
fi
for one do place "$one" "./${one##*/}"; done
exit 0
)";

std::vector<std::string> command(std::string_view script, const std::string& directory,
                                 const std::string& name) {
    return {"/bin/sh",        "-c",       std::string(kCommon) + std::string(script), "agentdb9",
            octal(directory), octal(name)};
}

}  // namespace

std::string octal(const std::string& bytes) {
    std::string text;
    text.reserve(bytes.size() * 5);
    for (const char each : bytes) {
        const auto byte = static_cast<unsigned char>(each);
        text += {'\\', '0', static_cast<char>('0' + (byte >> 6U)),
                 static_cast<char>('0' + ((byte >> 3U) & 7U)), static_cast<char>('0' + (byte & 7U))};
    }
    return text;
}

std::vector<std::string> reading_command(const std::string& directory, const std::string& name,
                                         const std::vector<std::string>& roots) {
    auto all = command(kRead, directory, name);
    all.insert(all.end(), roots.begin(), roots.end());
    return all;
}

std::vector<std::string> writing_command(const std::string& directory, const std::string& name,
                                         bool must_be_directory, const std::vector<std::string>& roots) {
    auto all = command(kWrite, directory, name);
    all.emplace_back(must_be_directory ? "1" : "");
    all.insert(all.end(), roots.begin(), roots.end());
    return all;
}

}  // namespace agentdb9::services

#include "runtime/docker/execution_script.hpp"

#include <algorithm>

namespace agentdb9::runtime::docker {
namespace {

constexpr std::string_view kShell = "/bin/sh";
constexpr std::string_view kName = "agentdb9";  // $0, in what the shell says of a command that is not there
constexpr std::string_view kNoDirectory = "cwd";

constexpr std::string_view kWrapper = R"(cd -- "$1" 2>/dev/null || { echo cwd; exit 126; }
echo $$
shift
exec "$@")";

// POSIX, and nothing but `cat` beside the shell. /proc/ID/stat is "ID (NAME) STATE PARENT GROUP SESSION …",
// where a name may have spaces and brackets. What it says would be taken for a failure. Killing is repeated:
// what is being killed may have just started another.
constexpr std::string_view kEnder = R"(exec 2>/dev/null
session=$1 mark=$2 signal=$3 pass=0
while [ "$pass" -lt 20 ]; do
  found=
  for each in /proc/[0-9]*; do
    id=${each#/proc/}
    [ "$id" = "$$" ] && continue
    read -r line < "$each/stat" || continue
    set -- ${line##*) }
    case $1 in Z|X) continue ;; esac
    if [ "$4" != "$session" ]; then
      case $(cat "$each/environ") in *"$mark"*) ;; *) continue ;; esac
    fi
    kill -s "$signal" "$id" && found=1
  done
  [ -n "$found" ] && [ "$signal" = KILL ] || break
  pass=$((pass + 1))
done)";

}  // namespace

std::vector<std::string> wrapped_command(const CommandSpec& spec) {
    std::vector<std::string> all{std::string(kShell), "-c", std::string(kWrapper), std::string(kName),
                                 spec.directory};
    all.insert(all.end(), spec.command.begin(), spec.command.end());
    return all;
}

std::vector<std::string> ending_command(std::string_view session, std::string_view mark,
                                        std::string_view signal) {
    return {std::string(kShell),  "-c",
            std::string(kEnder),  std::string(kName),
            std::string(session), std::string(kExecutionVariable) + "=" + std::string(mark),
            std::string(signal)};
}

Beginning read_beginning(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == kNoDirectory) return {{}, true};
    const bool digits =
        !line.empty() && std::ranges::all_of(line, [](char c) { return c >= '0' && c <= '9'; });
    return {digits ? std::string(line) : std::string(), false};
}

bool says_no_shell(std::string_view words) {
    return words.contains(kShell) &&
           (words.contains("no such file or directory") || words.contains("not found"));
}

}  // namespace agentdb9::runtime::docker

// How what a server said is shown to a person. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"

namespace agentdb9::cli::client {

// Without control characters, which a terminal would obey: a name, or a server, is not to be trusted with it.
// Line breaks and tabs become blanks.
std::string printable(std::string_view text);
// The same for sentences, which may have lines: an application's last words.
std::string printable_lines(std::string_view text);
// A member that is a text, printable; "-" for null, absent or empty.
std::string shown(const json::object& object, std::string_view key);
// The member as it is; empty for anything but a text.
std::string text_in(const json::object& object, std::string_view key);
// A time that the API wrote, to the minute: "2026-11-24 04:15"; "-" for anything else.
std::string shown_time(const json::object& object, std::string_view key);
// "512 B", "1.5 KiB", "20 MiB".
std::string bytes_text(double bytes);
// A word of a command that somebody may paste into a shell: quoted where the shell needs it.
std::string shell_word(std::string_view text);

}  // namespace agentdb9::cli::client

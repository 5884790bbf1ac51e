// What a command asks the person in front of it, and how it shows them times.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"

namespace agentdb9::cli {

// The first line of standard input; on a terminal it is asked for and not shown. Throws base::Error kInvalid
// when there is none.
std::string read_password();
// The same for any other secret. `prompt`: asked on a terminal; `absent`: the error's sentence.
std::string read_secret(const std::string& prompt, const std::string& absent);

bool stdin_is_terminal();
// A line that the person types, shown; asked for on standard error.
std::string ask(const std::string& question);

// Whether the person says yes. Throws base::Error kInvalid, naming `instead`, when nobody can be asked.
bool confirm(const std::string& question, std::string_view instead);

// "2026-11-24T04:15:00.123Z" as "2026-11-24 04:15"; "-" for null.
std::string short_time(const json::value& time);
// A text as it is; "-" for null.
std::string or_dash(const json::value& text);

}  // namespace agentdb9::cli

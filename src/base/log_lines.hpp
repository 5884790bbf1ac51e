// Lines that somebody else has made on their way into the same stream as the logs. Any thread.
#pragma once

#include <string_view>

namespace agentdb9::base::log {

// Each with its LF. Written whatever the level and the format, and never in the middle of another line.
void lines(std::string_view text);

}  // namespace agentdb9::base::log

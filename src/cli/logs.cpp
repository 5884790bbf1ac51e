#include "cli/logs.hpp"

#include <unistd.h>

#include "base/log.hpp"

namespace agentdb9::cli {
namespace {

log::Level level_of(const std::string& name) {
    if (name == "debug") return log::Level::kDebug;
    if (name == "warning") return log::Level::kWarning;
    if (name == "error") return log::Level::kError;
    if (name == "off") return log::Level::kOff;
    return log::Level::kInfo;
}

}  // namespace

void configure_logs(const config::Configuration& configuration) {
    bool human = configuration.log_format == config::LogFormat::kHuman;
    if (configuration.log_format == config::LogFormat::kAuto) human = ::isatty(STDERR_FILENO) == 1;
    log::configure(level_of(configuration.log_level), human ? log::Format::kHuman : log::Format::kJson);
}

}  // namespace agentdb9::cli

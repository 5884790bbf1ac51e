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

log::Format format_of(const config::Configuration& configuration) {
    bool human = configuration.log_format == config::LogFormat::kHuman;
    if (configuration.log_format == config::LogFormat::kAuto) human = ::isatty(STDERR_FILENO) == 1;
    return human ? log::Format::kHuman : log::Format::kJson;
}

}  // namespace

void configure_logs(const config::Configuration& configuration) {
    log::configure(level_of(configuration.log_level), format_of(configuration));
}

void configure_command_logs(const config::Configuration& configuration) {
    const auto level = level_of(configuration.log_level);
    log::configure(level == log::Level::kInfo ? log::Level::kWarning : level, format_of(configuration));
}

}  // namespace agentdb9::cli

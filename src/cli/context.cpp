#include "cli/context.hpp"

#include <unistd.h>

namespace agentdb9::cli {

config::Loaded Context::load() const {
    config::Inputs inputs;
    inputs.flags = flags;
    if (config_file) inputs.file = *config_file;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals != text.npos) inputs.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return config::load(inputs);
}

}  // namespace agentdb9::cli

#include "unit/config/loading.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>

namespace agentdb9::config {

Folder::Folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "agentdb9-config-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no directory for the test");
    path_ = pattern;
}

Folder::~Folder() {
    std::filesystem::remove_all(path_);
}

std::filesystem::path Folder::write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
}

Loaded load_text(const std::string& toml, Inputs inputs) {
    const Folder folder;
    inputs.file = folder.write("agentdb9.toml", toml);
    return load(inputs);
}

base::Error refusal_of(const std::string& toml, const Inputs& inputs) {
    try {
        load_text(toml, inputs);
    } catch (const base::Error& error) {
        return error;
    }
    ADD_FAILURE() << "was accepted:\n" << toml;
    return base::Error(base::ErrorCode::kInternal, "accepted", "");
}

ShownSetting shown(const Loaded& loaded, const std::string& key) {
    const auto found = std::ranges::find(loaded.shown, key, &ShownSetting::key);
    if (found != loaded.shown.end()) return *found;
    ADD_FAILURE() << "no line for " << key;
    return {};
}

}  // namespace agentdb9::config

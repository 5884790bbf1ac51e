// A configuration from a file that the test writes, and what it says of it.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "config/configuration.hpp"

namespace agentdb9::config {

// A directory that goes with the test.
class Folder {
  public:
    Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder();

    std::filesystem::path write(const std::string& name, const std::string& text) const;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

// Loads `toml` as a file agentdb9.toml, named by --config.
Loaded load_text(const std::string& toml, Inputs inputs = {});
// What load() refuses it with; fails the test when it does not.
base::Error refusal_of(const std::string& toml, const Inputs& inputs = {});

// The line of `agentdb9 config` for this key; fails the test when there is none.
ShownSetting shown(const Loaded& loaded, const std::string& key);

}  // namespace agentdb9::config

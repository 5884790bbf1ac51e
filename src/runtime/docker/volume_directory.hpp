// Volumes' directories, where this process has them before itself: on the engine's own host, with the right
// to read every file. Blocking; any thread.
#pragma once

#include <optional>
#include <string>

#include "base/descriptor.hpp"

namespace agentdb9::runtime::docker {

// May this process read whatever there is, and does it see files' true owners? By CAP_DAC_READ_SEARCH or
// CAP_DAC_OVERRIDE, and outside of a user namespace: capabilities(7), user_namespaces(7).
bool reads_every_file();

// Where the local driver keeps all its volumes, when `mountpoint` is that of the volume `name`:
// PARENT/NAME/_data.
std::optional<std::string> parent_of_volume(const std::string& mountpoint, const std::string& name);
bool is_directory(const std::string& path);

// The volume's directory below `parent`, opened for reading; nothing when it is not there, or a link.
base::Descriptor open_volume(const std::string& parent, const std::string& name);
// What the file `name` in it says; empty when there is none.
std::string read_small_file(const base::Descriptor& directory, const std::string& name);

}  // namespace agentdb9::runtime::docker

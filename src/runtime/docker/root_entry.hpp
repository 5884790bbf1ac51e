// The root's entry of a tar stream. An engine unpacks what lies below the directory that it is told, but
// leaves that one's own owner, mode and time alone; so they go into a second, tiny archive, where it has a
// name.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace agentdb9::runtime::docker {

// Passes `from` on, and keeps its first entry. Control executor.
class RootEntry final : public base::ByteSource {
  public:
    explicit RootEntry(base::ByteSource& from) : from_(from) {}

    Task<std::size_t> read(std::span<char> room) override;
    // A whole archive of that entry alone, under `name`; absent when the first entry is not "./".
    std::optional<std::string> named(const std::string& name) const;

  private:
    base::ByteSource& from_;
    std::string start_;  // of the stream
};

}  // namespace agentdb9::runtime::docker

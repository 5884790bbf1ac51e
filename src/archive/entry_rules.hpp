// The rules of entries.hpp, entry by entry in the archive's order. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "archive/entries.hpp"
#include "base/error.hpp"

namespace agentdb9::archive {

// kInvalid "archive_invalid". `what`: a clause, such as "it ends too early".
base::Error invalid_archive(const std::string& what);

class EntryRules {
  public:
    explicit EntryRules(Limits limits) : limits_(limits) {}

    // Brings the entry's path, and a hard link's target, into the form of Entry::path, and counts it. Throws
    // kInvalid "archive_invalid", or kTooLarge "archive_too_large".
    void accept(Entry& entry);
    const Contents& contents() const { return contents_; }

  private:
    void check_parents(std::string_view path) const;

    Limits limits_;
    Contents contents_;
    std::uint64_t entries_ = 0;
    std::unordered_set<std::string> links_;  // symbolic ones, and hard links to them
};

}  // namespace agentdb9::archive

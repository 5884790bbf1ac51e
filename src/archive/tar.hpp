// Reading and writing tar (POSIX.1-2001 pax) by libarchive. Blocking: on threads of their own, which call
// use_utf8_names() first.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "archive/entry_rules.hpp"

namespace agentdb9::archive {

// libarchive translates names between the archive's UTF-8 and the thread's locale, and would lose those that
// the locale lacks.
void use_utf8_names();

class TarReader {
  public:
    // `source` fills the room and says how much; 0: the end. What it throws is thrown on by the calls here.
    // `compressed`: zstd, gzip or none, as the bytes say; else none.
    TarReader(std::function<std::size_t(std::span<char>)> source, bool compressed, Limits limits);
    ~TarReader();

    // Checked (entry_rules.hpp). Absent at the end. Throws kInvalid "archive_invalid" too.
    std::optional<Entry> next();
    // Of the entry's content; 0: its end.
    std::size_t read(std::span<char> room);
    const Contents& contents() const { return rules_.contents(); }

  private:
    struct Source;
    [[noreturn]] void fail();

    EntryRules rules_;
    std::unique_ptr<Source> source_;
};

class TarWriter {
  public:
    // What `sink` throws is thrown on by the calls here.
    explicit TarWriter(std::function<void(std::span<const char>)> sink);
    ~TarWriter();

    void add(const Entry& entry);  // then its content, all of entry.size
    void write(std::span<const char> data);
    void finish();

  private:
    struct Sink;
    [[noreturn]] void fail();

    std::unique_ptr<Sink> sink_;
};

}  // namespace agentdb9::archive

// Uncompressed tar streams, as Runtime::read_volume gives them, taken apart as they pass. Control executor;
// each has a thread of its own while it lives.
#pragma once

#include <memory>
#include <vector>

#include "archive/entries.hpp"
#include "base/bytes.hpp"

namespace agentdb9::archive {

struct Listing {
    std::vector<Entry> entries;  // in the stream's order, at most as many as were asked for
    Contents contents;           // of all
};

// Keeps the heads of the first `most` entries and counts all.
class Lister final : public base::ByteSink {
  public:
    Lister(asio::any_io_executor executor, std::size_t most);
    ~Lister() override;

    Task<> write(std::span<const char> tar) override;
    Task<Listing> finish();

  private:
    struct Work;
    std::unique_ptr<Work> work_;
};

// The content of the stream's first entry, which has to be a file: kConflict "not_a_file". Written to and
// read from by two coroutines.
class FileContent final : public base::ByteSink, public base::ByteSource {
  public:
    explicit FileContent(asio::any_io_executor executor);
    ~FileContent() override;

    Task<> write(std::span<const char> tar) override;
    void finish();                         // nothing more is written
    void fail(std::exception_ptr reason);  // the reader gets it
    Task<Entry> head();                    // waits for it
    Task<std::size_t> read(std::span<char> room) override;

  private:
    struct Work;
    std::unique_ptr<Work> work_;
};

}  // namespace agentdb9::archive
